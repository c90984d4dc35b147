package notice

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/golden"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// everything are facts that any reason may come with.
var everything = map[string]string{
	billing.DataAmount: "50000.000000", billing.DataAvailable: "62500", billing.DataRate: "412.500000", billing.DataRunway: "29h30m0s",
	billing.DataGraceEnds: "2026-11-23T17:00:00Z", billing.DataMissing: "1200", billing.DataSpent: "750000.000000",
	billing.DataCap: "1000000.000000", billing.DataMonth: "2026-11", billing.DataOrder: "dgk-1a2b", alert.FactThreshold: "75",
	alert.FactMetric: "memory", alert.FactOperator: ">", alert.FactValue: "104857600", alert.FactUsual: "52428800",
	alert.FactCondition: "Ready", alert.FactConditionStatus: "False", alert.FactReason: "BuildFailed",
	alert.FactMessage: "no such file", alert.FactTasks: "1/3", alert.FactOccurrences: "4",
}

// incidentOf is one that a phrase is about.
func incidentOf(key string, facts map[string]string) alert.Incident {
	reason, rest, _ := strings.Cut(key, "/resolved")
	i := alert.Incident{Status: alert.StatusFiring, Reason: reason, Facts: maps.Clone(facts), StartsAt: start}
	if strings.Contains(key, "/resolved") {
		i.Status, i.EndsAt = alert.StatusResolved, start.Add(time.Hour)
	}
	reason, of, _ := strings.Cut(i.Reason, ".")
	i.Reason = reason
	if i.Facts == nil {
		i.Facts = map[string]string{}
	}
	of, ending := cmp.Or(of, strings.TrimPrefix(rest, ".")), ""
	if of == alert.EndingStopped || of == alert.EndingGone {
		of, ending = "", of
	}
	if kind, condition, found := strings.Cut(of, "."); found {
		i.Subject.Kind = kind
		i.Facts[alert.FactCondition], i.Facts[alert.FactConditionStatus], _ = strings.Cut(condition, ".")
	} else if of != "" {
		i.Facts[alert.FactOf] = of
	}
	if ending != "" {
		i.Facts[alert.FactEnding] = ending
	}

	return i
}

func notification(incidents ...alert.Incident) alert.Notification {
	return alert.Notification{ID: "n1", Tenant: "acme", Title: "busy", Status: incidents[0].Status, Incidents: incidents}
}

// TestGolden shows all that is ever said, in each language: with all that can be known, and with nothing.
func TestGolden(t *testing.T) {
	jakarta := time.FixedZone("WIB", 7*60*60)
	for _, locale := range []string{"en", "id"} {
		t.Run(locale, func(t *testing.T) {
			l := Language{Locale: locale, Zone: jakarta}
			var out strings.Builder
			for _, key := range slices.Sorted(maps.Keys(l.dictionary().phrases)) {
				full, bare := incidentOf(key, everything), incidentOf(key, nil)
				full.Subject = alert.ObjectRef{Kind: cmp.Or(full.Subject.Kind, "TenantContainer"), Namespace: "acme", Name: "web"}
				full.Annotations = map[string]string{"summary": "shop is slow"}
				a, b := Say(notification(full), l), Say(notification(bare), l)
				fmt.Fprintf(&out, "%s\n  %s\n  %s\n  %s\n", key, a.Subject, a.Text(), b.Text())
			}
			golden.Check(t, "testdata/words."+locale+".golden", out.String())
		})
	}
}

// TestLanguagesAreComplete: whatever is said in one language is said in the other, of the same facts.
func TestLanguagesAreComplete(t *testing.T) {
	keys := func(text string) []string {
		var out []string
		for _, part := range strings.Split(text, "{")[1:] {
			key, _, _ := strings.Cut(part, "}")
			out = append(out, key)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	if diff := gocmp.Diff(slices.Sorted(maps.Keys(english.phrases)), slices.Sorted(maps.Keys(indonesian.phrases))); diff != "" {
		t.Fatalf("phrases (-en +id):\n%s", diff)
	}
	for key, en := range english.phrases {
		id := indonesian.phrases[key]
		if diff := gocmp.Diff(keys(en.subject+en.text), keys(id.subject+id.text)); diff != "" {
			t.Errorf("%s speaks of other facts (-en +id):\n%s", key, diff)
		}
		if en.text != "" && en.text == id.text {
			t.Errorf("%s is not translated", key)
		}
	}
	if diff := gocmp.Diff(slices.Sorted(maps.Keys(english.words)), slices.Sorted(maps.Keys(indonesian.words))); diff != "" {
		t.Errorf("words (-en +id):\n%s", diff)
	}
}

// TestEveryReasonHasWords: what can be decided can be said.
func TestEveryReasonHasWords(t *testing.T) {
	reasons := []string{
		alert.ReasonThreshold, alert.ReasonAnomaly, alert.ReasonAbsent, alert.ReasonCondition, alert.ReasonContainerDown, alert.ReasonExternal,
	}
	for _, reason := range reasons {
		for _, key := range []string{reason, reason + "/resolved"} {
			if english.phrases[key].text == "" {
				t.Errorf("nothing is said of %s", key)
			}
		}
	}
}

// TestWordsHaveNoHoles: whatever is not known, no text has a brace or a bracket in it, or says nothing.
func TestWordsHaveNoHoles(t *testing.T) {
	for _, locale := range []string{"en", "id"} {
		for key := range english.phrases {
			w := Say(notification(incidentOf(key, nil)), Language{Locale: locale})
			if strings.ContainsAny(w.Subject+w.Text(), "{}[]") || len(w.Subject) < 3 {
				t.Errorf("%s of %s: %q, %q", locale, key, w.Subject, w.Text())
			}
		}
	}
}

// TestHostileWords: what tenants write stays one line of what can be seen, and is no template.
func TestHostileWords(t *testing.T) {
	for name, hostile := range map[string]string{
		"Header":    "web\r\nBcc: everybody@example.com",
		"Newlines":  "a\n\n.\nb\u2028c\u2029d",
		"Reversed":  "web\u202egnp.exe",
		"Template":  "{available}[{missing}]{{.}}",
		"Null":      "a\x00b\x1b[31m",
		"Invisible": "a\u200bb\ufeffc",
		"Broken":    "a\xffb",
		"Long":      strings.Repeat("ab", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			i := incidentOf(alert.ReasonContainerDown, map[string]string{alert.FactMessage: hostile, alert.FactTasks: hostile})
			i.Subject.Name, i.Annotations = hostile, map[string]string{"summary": hostile, "description": hostile}
			n := notification(i)
			n.Title, n.Tenant = hostile, hostile
			for _, n := range []alert.Notification{n, notification(i, i)} {
				w := Say(n, English)
				lines := append([]string{w.Subject, w.Text(), w.Items[0].Summary}, w.Items[0].Description...)
				for _, line := range lines {
					if strings.ContainsFunc(line, func(r rune) bool {
						return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
					}) {
						t.Errorf("%q", line)
					}
					if len(line) > 5000 {
						t.Errorf("a line has %d bytes", len(line))
					}
				}
				if name == "Template" && !strings.Contains(w.Text(), hostile) {
					t.Errorf("%q was taken for a template: %q", hostile, w.Text())
				}
			}
		})
	}
}

// TestSeveral: many incidents have one subject that counts them, and each its line.
func TestSeveral(t *testing.T) {
	down, over := incidentOf(alert.ReasonContainerDown, nil), incidentOf(alert.ReasonContainerDown+"/resolved", nil)
	down.Subject.Name, over.Subject.Name = "web", "db"
	n := notification(down, over)
	n.Omitted, n.Repeat = 3, true
	w := Say(n, English)
	if want := "Still: busy: 1 firing, 4 others (acme)"; w.Subject != want {
		t.Errorf("got %q, want %q", w.Subject, want)
	}
	if want := "Container web is down. Container db runs again. And 3 more."; w.Text() != want {
		t.Errorf("got %q, want %q", w.Text(), want)
	}
	if w.Items[0].Since != "22 Nov 2026 10:00 UTC" || w.Items[0].Until != "" || w.Items[1].Until != "22 Nov 2026 11:00 UTC" {
		t.Errorf("times: %+v", w.Items)
	}
}
