package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestSummarise(t *testing.T) {
	cases := map[string]struct {
		reason string
		events string
		want   totals
		shown  []string
		hidden []string
	}{
		"PassingOutputIsHidden": {
			reason: "A log of what went well hides what did not.",
			events: `{"Action":"run","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"A","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"A","Elapsed":0.5}
{"Action":"pass","Package":"p","Elapsed":1}`,
			want:   totals{passed: 1},
			shown:  []string{"--- PASS: A (0.50s)", "ok  \tp\t1.000s"},
			hidden: []string{"chatter"},
		},
		"SubtestsCountForTheirTest": {
			reason: "A table of ten rows is ten tests, not eleven.",
			events: `{"Action":"run","Package":"p","Test":"A"}
{"Action":"run","Package":"p","Test":"A/x"}
{"Action":"pass","Package":"p","Test":"A/x"}
{"Action":"run","Package":"p","Test":"A/y"}
{"Action":"output","Package":"p","Test":"A/y","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"A/y"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`,
			want:  totals{passed: 1, failed: 1},
			shown: []string{"got 1, want 2", "FAIL\tp"},
		},
		"DeepFailureCountsOnce": {
			reason: "The parents of a failed subtest are not further failures.",
			events: `{"Action":"run","Package":"p","Test":"A/x/1"}
{"Action":"fail","Package":"p","Test":"A/x/1"}
{"Action":"fail","Package":"p","Test":"A/x"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`,
			want: totals{failed: 1},
		},
		"ParentThatFailsByItself": {
			reason: "A check after the last subtest is a check.",
			events: `{"Action":"run","Package":"p","Test":"A/x"}
{"Action":"pass","Package":"p","Test":"A/x"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`,
			want: totals{passed: 1, failed: 1},
		},
		"BrokenBuild": {
			reason: "No test ran, and that is a failure.",
			events: `{"ImportPath":"p [p.test]","Action":"build-output","Output":"p.go:1: undefined: x\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`,
			want:  totals{failed: 1},
			shown: []string{"undefined: x"},
		},
		"Panic": {
			reason: "The test that was running did not end; what it said is what matters.",
			events: `{"Action":"run","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"A","Output":"panic: boom\n"}
{"Action":"fail","Package":"p"}`,
			want:  totals{failed: 1},
			shown: []string{"panic: boom"},
		},
		"Killed": {
			reason: "A run that stops in the middle has not passed.",
			events: `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Test":"A"}`,
			want:  totals{passed: 1, failed: 1},
			shown: []string{"[did not end]"},
		},
		"SkippedIsShown": {
			reason: "A test that is skipped proves nothing, so it is not silent.",
			events: `{"Action":"run","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"A","Output":"not today\n"}
{"Action":"skip","Package":"p","Test":"A"}
{"Action":"pass","Package":"p"}`,
			want:  totals{skipped: 1},
			shown: []string{"not today"},
		},
		"PackageWithoutTests": {
			reason: "It is neither passed nor failed.",
			events: `{"Action":"skip","Package":"p"}`,
			shown:  []string{"[no tests]"},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder

			got, err := summarise(strings.NewReader(tc.events), &out)
			if err != nil {
				t.Fatal(err)
			}

			if got != tc.want {
				t.Errorf("%s\ntotals are %q, want %q", tc.reason, got, tc.want)
			}

			for _, s := range tc.shown {
				if !strings.Contains(out.String(), s) {
					t.Errorf("%s\noutput lacks %q:\n%s", tc.reason, s, out.String())
				}
			}

			for _, s := range tc.hidden {
				if strings.Contains(out.String(), s) {
					t.Errorf("%s\noutput holds %q:\n%s", tc.reason, s, out.String())
				}
			}
		})
	}
}

func TestTotalsAddUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "totals")

	for _, stage := range []totals{{passed: 3}, {passed: 2, failed: 1}, {skipped: 4}} {
		if err := stage.append(file); err != nil {
			t.Fatal(err)
		}
	}

	got, err := readTotals(file)
	if err != nil {
		t.Fatal(err)
	}

	if got.String() != "5 passed, 1 failed, 4 skipped" {
		t.Errorf("sum is %q", got)
	}
}
