package measure

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPercentile(t *testing.T) {
	hundred := make(Values, 100)
	for i := range hundred {
		hundred[len(hundred)-1-i] = float64(i + 1)
	}

	cases := map[string]struct {
		reason string
		values Values
		p      float64
		want   float64
	}{
		"OfHundred":   {reason: "99 of 100 values are at most 99.", values: hundred, p: 99, want: 99},
		"OfFew":       {reason: "With three values p99 is the largest: nothing beyond was measured.", values: Values{3, 1, 2}, p: 99, want: 3},
		"OfOne":       {reason: "One value is every percentile.", values: Values{7}, p: 1, want: 7},
		"MiddleOfTwo": {reason: "A percentile is a value that was measured.", values: Values{1, 2}, p: 50, want: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.values.Percentile(tc.p); got != tc.want {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
		})
	}

	if got := Values(nil).Percentile(50); !math.IsNaN(got) {
		t.Errorf("no values have no percentile: got %v", got)
	}
}

func TestRatiosArePaired(t *testing.T) {
	r := &Report{Name: "x", Goals: []Goal{
		{Figure: "time", Against: "bare", AtMost: 1.1},
		{Figure: "time", AtMost: 2},
		{Figure: "never measured", AtMost: 1},
	}}

	// The second round ran on a machine twice as slow: both arms moved, the ratio did not.
	for _, round := range []float64{1, 2, 1} {
		r.Add("bare", "time", Seconds, round)
		r.Add(Ours, "time", Seconds, 1.05*round)
	}

	want := []line{
		{"time", "bare", "1 s", "1 s – 2 s", "1.05 (1.05 – 1.05)", "≤ 1.10: met"},
		{"", Ours, "1.05 s", "1.05 s – 2.10 s", "", "≤ 2 s: met"},
	}
	if diff := cmp.Diff(want, r.lines(), cmp.AllowUnexported(line{})); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}

	missed := r.Missed()
	if len(missed) != 1 || !strings.Contains(missed[0], "never measured") {
		t.Errorf("a goal about what was not measured is missed: got %q", missed)
	}
}

func TestGoalsOfWhichMoreIsBetter(t *testing.T) {
	r := &Report{Name: "x", Goals: []Goal{
		{Figure: "rate", Against: "raw", AtLeast: 0.8},
		{Figure: "rate", AtLeast: 1000},
		{Figure: "never measured", AtLeast: 1},
	}}
	r.Add("raw", "rate", PerSecond, 1000)
	r.Add(Ours, "rate", PerSecond, 900)

	var got []string
	for _, l := range r.lines() {
		got = append(got, l.goal)
	}
	if diff := cmp.Diff([]string{"≥ 0.80: met", "≥ 1000/s: missed"}, got); diff != "" {
		t.Errorf("goals (-want +got):\n%s", diff)
	}
	want := []string{"x: rate is 900/s, and should be at least 1000/s", "x: never measured is –, and should be at least 1"}
	if diff := cmp.Diff(want, r.Missed()); diff != "" {
		t.Errorf("missed (-want +got):\n%s", diff)
	}
}

func TestNothingIsNoMeasure(t *testing.T) {
	r := &Report{}
	r.Add("idle", "calls", Count, 0)
	r.Add(Ours, "calls", Count, 3)

	if got := r.lines()[0].ratio; got != "" {
		t.Errorf("three calls beside none: got the ratio %q, want none", got)
	}
}

func TestArmsOfAFigureStandTogether(t *testing.T) {
	r := &Report{}
	for range 2 {
		for _, arm := range []string{"bare", Ours} {
			r.Add(arm, "p50", Seconds, 0.0012)
			r.Add(arm, "p99", Seconds, 0.5)
		}
	}

	var got []string
	for _, l := range r.lines() {
		got = append(got, l.figure+"/"+l.arm+"/"+l.median)
	}
	want := []string{"p50/bare/1.20 ms", "/Dogker/1.20 ms", "p99/bare/500 ms", "/Dogker/500 ms"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestFormat(t *testing.T) {
	cases := map[string]struct {
		unit  Unit
		value float64
		want  string
	}{
		"Microseconds": {Seconds, 0.000512, "512 µs"},
		"Negative":     {Seconds, -0.0042, "-4.20 ms"},
		"Seconds":      {Seconds, 12.345, "12.3 s"},
		"Rate":         {PerSecond, 470.4, "470/s"},
		"Throughput":   {MBPerSecond, 82.31, "82.3 MB/s"},
		"Whole":        {Count, 5000, "5000"},
		"Small":        {Percent, 0.00231, "0.0023 %"},
		"Nothing":      {Seconds, math.NaN(), "–"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.unit.Format(tc.value); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestPlace(t *testing.T) {
	const document = "# Title\n<!-- bench a -->\nold\n<!-- end a -->\n<!-- bench b -->\nkept\n<!-- end b -->\n"

	got, err := Place(document, "a", "new\n\n")
	if err != nil {
		t.Fatal(err)
	}
	want := "# Title\n<!-- bench a -->\n\nnew\n\n<!-- end a -->\n<!-- bench b -->\nkept\n<!-- end b -->\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}

	if again, err := Place(got, "a", "new"); err != nil || again != got {
		t.Errorf("placing the same text again must change nothing: %v\n%s", err, cmp.Diff(got, again))
	}
	if _, err := Place(document, "c", "new"); err == nil {
		t.Error("a document without a place for the result must be refused")
	}
}
