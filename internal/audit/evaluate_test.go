package audit

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/policy"
)

// claim is one way in which a cluster differs from the right one, and what the check has to say of it: a finding of that
// severity, or nothing where it is none.
type claim struct {
	id, reason string
	change     func(*Input)
	severity   Severity
	found      string
}

// claims are all of them.
func claims(t *testing.T) map[string]claim {
	t.Helper()

	all := map[string]claim{}
	for group, table := range map[string]map[string]claim{"Container": containerClaims, "Place": placeClaims, "Rule": ruleClaims, "Delivery": deliveryClaims} {
		for name, c := range table {
			all[group+"/"+c.id+"/"+name] = c
		}
	}

	return all
}

func checkOf(t *testing.T, r Report, id string) Check {
	t.Helper()

	i := slices.IndexFunc(r.Checks, func(c Check) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("the report has no check %s", id)
	}

	return r.Checks[i]
}

func TestClaims(t *testing.T) {
	for name, c := range claims(t) {
		t.Run(name, func(t *testing.T) {
			in := right(t)
			c.change(&in)

			got := checkOf(t, Evaluate(in, Options{Severity: SeverityAdvice}), c.id)
			if c.severity == "" {
				if len(got.Findings) > 0 || got.Passed == 0 {
					t.Errorf("%s\ngot %+v, want a pass", c.reason, got)
				}

				return
			}
			if len(got.Findings) == 0 {
				t.Fatalf("%s\ngot %+v, want a finding", c.reason, got)
			}
			f := got.Findings[0]
			if f.Severity != c.severity || !strings.Contains(f.Found, c.found) {
				t.Errorf("%s\ngot %+v\nwant severity %s and %q", c.reason, f, c.severity, c.found)
			}
			for _, f := range got.Findings {
				if f.Right == "" || f.Remedy == "" || f.Object.Name == "" {
					t.Errorf("%s\n%+v does not say about what it is, what is right or how to mend it", c.reason, f)
				}
			}
		})
	}
}

// TestNothingElseIsFound: what is right is right to every check, and what is wrong for one of them is no reason for
// another to invent something.
func TestNothingElseIsFound(t *testing.T) {
	r := Evaluate(right(t), Options{Severity: SeverityAdvice})
	for _, c := range r.Checks {
		if len(c.Findings) > 0 {
			t.Errorf("%s %s: in a cluster in which all is right it finds %+v", c.ID, c.Title, c.Findings)
		}
		if blind := slices.ContainsFunc(blindSpots, func(b blindSpot) bool { return b.id == c.ID }); c.Outcome == OutcomeUnseen != blind {
			t.Errorf("%s %s: got outcome %s, %+v", c.ID, c.Title, c.Outcome, c.Unseen)
		}
	}
	if r.Count() != 0 || len(r.Summary.Hidden) != 0 {
		t.Errorf("summary: got %+v", r.Summary)
	}
}

// TestEveryCheckCanPassAndFind: a check that has never found anything, or never let anything pass, is not known to work.
func TestEveryCheckCanPassAndFind(t *testing.T) {
	passes, finds := map[string]bool{}, map[string]bool{}
	for _, c := range Evaluate(right(t), Options{}).Checks {
		passes[c.ID] = c.Passed > 0
	}
	for _, c := range claims(t) {
		if c.severity == "" {
			passes[c.id] = true
		} else {
			finds[c.id] = true
		}
	}

	known := map[string]bool{}
	for _, c := range Evaluate(right(t), Options{}).Checks {
		if known[c.ID] {
			t.Errorf("there are two checks %s", c.ID)
		}
		known[c.ID] = true
		if slices.ContainsFunc(blindSpots, func(b blindSpot) bool { return b.id == c.ID }) {
			continue
		}
		if !passes[c.ID] {
			t.Errorf("check %s %q has no case that passes", c.ID, c.Title)
		}
		if !finds[c.ID] {
			t.Errorf("check %s %q has no case in which it finds something", c.ID, c.Title)
		}
	}
	for id := range finds {
		if !known[id] {
			t.Errorf("there is a claim about check %s, which does not exist", id)
		}
	}
}

// TestSectionFiveIsWhole: every item of the benchmark's section on containers, and of that on Swarm, is a check or is said
// not to be looked at.
func TestSectionFiveIsWhole(t *testing.T) {
	known := map[string]bool{}
	for _, c := range Evaluate(right(t), Options{}).Checks {
		known[c.ID] = true
	}

	for section, last := range map[string]int{"2": 18, "5": 32, "7": 9} {
		for i := range last {
			if id := section + "." + strconv.Itoa(i+1); !known[id] {
				t.Errorf("%s is in the benchmark and not in the report", id)
			}
		}
	}
}

// TestEveryRuleOfThePolicyIsThere holds our table of words against the policy's table of rules.
func TestEveryRuleOfThePolicyIsThere(t *testing.T) {
	var got []string
	for _, r := range rules {
		if r.id != ruleGuard && r.id != ruleSecrets {
			got = append(got, r.id)
		}
	}
	if diff := cmp.Diff(policy.RuleIDs(), got); diff != "" {
		t.Errorf("rules (-policy +audit):\n%s", diff)
	}
}

// TestNoSecretIsShown looks for a value in all forms of a report.
func TestNoSecretIsShown(t *testing.T) {
	in := right(t)
	ruleClaims["PasswordInVariable"].change(&in)
	r := Evaluate(in, Options{Severity: SeverityAdvice})

	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.Write(&text, Style{}); err != nil {
		t.Fatal(err)
	}
	for form, s := range map[string]string{"JSON": string(raw), "text": text.String()} {
		if strings.Contains(s, password) {
			t.Errorf("the %s shows the value of a variable", form)
		}
		if !strings.Contains(s, "DB_PASSWORD") {
			t.Errorf("the %s does not name the variable", form)
		}
	}
}

// TestBlindness: whatever cannot be asked, every check says so or does not need it, and none of them is silent.
func TestBlindness(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*Input)
		unseen []string
	}{
		"Worker": {
			"Only managers know the swarm.",
			func(in *Input) {
				in.Swarm, in.SwarmUnseen = nil, "a worker"
				in.Workloads = []Workload{{Object: Object{Kind: KindService, Name: "s"}, Live: []Container{live("a1")}}}
			},
			[]string{"5.1", "7.1", "7.2", "7.3", "7.5", "7.7", "7.8", "G3", "H4"},
		},
		"ElsewhereHost": {
			"The engine is on another machine.", func(in *Input) { in.Host, in.HostUnseen = nil, "another machine" },
			[]string{"1.1.1", "1.1.2", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.15", "3.16", "3.17", "3.18", "3.19", "3.20", "3.21", "3.22", "3.23", "3.24", "7.2"},
		},
		"NoAPI": {
			"Nobody tells what is declared.", func(in *Input) { in.Declared, in.DeclaredUnseen = nil, "no API" },
			append(policy.RuleIDs(), "S4"),
		},
		"NoRepositories": {
			"Nobody tells who follows what.", func(in *Input) { in.Deliveries, in.DeliveriesUnseen = nil, "no right to list" },
			[]string{"D1", "D2", "D3"},
		},
		"TasksElsewhere": {
			"What the image and the node decide, only the node tells.",
			func(in *Input) { in.Workloads[ours].Live, in.Workloads[ours].Elsewhere = nil, []string{"node2"} },
			[]string{"5.2", "5.3", "5.7", "5.26"},
		},
		"OldEngineWithoutKernel": {
			"Neither tells of new privileges.",
			func(in *Input) {
				in.Engine.APIVersion = "1.41"
				lacking("no-new-privileges")(in)
				for i := range in.Workloads {
					in.Workloads[i].Live[0].Process = nil
				}
			},
			[]string{"2.14", "5.26"},
		},
		"NoPlan": {
			"Without a plan nobody knows what is allowed.", func(in *Input) { in.Declared[0].Plan = nil },
			append(policy.RuleIDs(), "S4"),
		},
		"NoPS": {
			"The engine lists processes by a program of its machine.",
			func(in *Input) { in.Workloads[single].Live[0].CommandsUnseen = "no ps" }, []string{"5.7"},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := right(t)
			tc.change(&in)

			got := map[string]bool{}
			for _, c := range Evaluate(in, Options{}).Checks {
				if c.Outcome == OutcomeUnseen && !slices.ContainsFunc(blindSpots, func(b blindSpot) bool { return b.id == c.ID }) {
					got[c.ID] = true
				}
				if c.Passed == 0 && len(c.Findings)+len(c.NotApplicable)+len(c.Unseen) == 0 {
					t.Errorf("check %s says nothing at all", c.ID)
				}
			}
			want := map[string]bool{}
			for _, id := range tc.unseen {
				want[id] = true
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("%s\nchecks that cannot be seen (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestNothingRuns(t *testing.T) {
	in := right(t)
	in.Workloads, in.Declared, in.Deliveries = nil, nil, nil

	for _, id := range []string{"5.4", "5.32", "U1", "G3", "S4", "D1", "D2", "D3"} {
		if c := checkOf(t, Evaluate(in, Options{}), id); c.Outcome != OutcomeNotApplicable {
			t.Errorf("%s where nothing runs: got %+v, want that it does not apply", id, c)
		}
	}
}

func TestNamespaceWithoutTenant(t *testing.T) {
	in := right(t)
	in.Declared[0].Tenant, in.Declared[0].Plan = nil, nil

	if c := checkOf(t, Evaluate(in, Options{}), "U1"); c.Outcome != OutcomeNotApplicable || !strings.Contains(c.NotApplicable[0].Why, "no Tenant") {
		t.Errorf("a namespace without tenant has no profile: got %+v", c)
	}
}

// TestJobs: a job is held against the profile like a container, and told of by the fields that it has.
func TestJobs(t *testing.T) {
	in := right(t)
	job := web()
	job.Name = "report"
	job.Spec.Security.RunAsUser = new(int64(0))
	job.Spec.Env = []v1alpha1.EnvVar{{Name: "DB_PASSWORD", Value: new(v1alpha1.Text(password))}}
	in.Declared = append(in.Declared, Declared{Job: true, Container: job, Tenant: in.Declared[0].Tenant, Plan: in.Declared[0].Plan})

	for id, found := range map[string]string{"U1": "spec.template.security.runAsUser is 0", "S4": `spec.template.env[0]: "DB_PASSWORD" looks like a secret`} {
		c := checkOf(t, Evaluate(in, Options{}), id)
		if len(c.Findings) != 1 || c.Findings[0].Object.Kind != KindTenantJob || c.Findings[0].Object.Name != "report" || !strings.Contains(c.Findings[0].Found, found) {
			t.Errorf("%s: got %+v, want the job, with %q", id, c.Findings, found)
		}
	}
}

func TestProfileThatDemandsNothing(t *testing.T) {
	in := right(t)
	in.Declared[0].Plan.Spec.SecurityProfile = v1alpha1.ProfileBaseline
	in.Declared[0].Container.Spec.Security.RunAsUser = new(int64(0))

	if c := checkOf(t, Evaluate(in, Options{}), "U1"); c.Outcome != OutcomeNotApplicable {
		t.Errorf("baseline lets a container be root: got %+v", c)
	}
}

func TestSeverity(t *testing.T) {
	in := right(t)
	all(containerClaims["WritableRoot"].change, containerClaims["KeyToTheNode"].change, containerClaims["NoMemoryLimit"].change)(&in)

	cases := map[Severity]struct {
		count, hidden int
		memory        Outcome
	}{
		SeverityAdvice:   {3, 0, OutcomeFinding},
		SeverityLow:      {2, 1, OutcomeFinding},
		SeverityCritical: {1, 2, OutcomeHidden},
	}
	for severity, want := range cases {
		r := Evaluate(in, Options{Severity: severity})
		hidden := 0
		for _, n := range r.Summary.Hidden {
			hidden += n
		}
		if r.Count() != want.count || hidden != want.hidden || checkOf(t, r, "5.11").Outcome != want.memory {
			t.Errorf("from %s: got %d findings, %d hidden, memory %s; want %+v", severity, r.Count(), hidden, checkOf(t, r, "5.11").Outcome, want)
		}
	}
	if _, err := ParseSeverity("grave"); err == nil || !strings.Contains(err.Error(), "critical, high, medium, low, advice") {
		t.Errorf("a severity that does not exist: got %v, want what exists", err)
	}
}

// TestNamespace: somebody who looks at one namespace hears of nothing else.
func TestNamespace(t *testing.T) {
	in := right(t)
	all(containerClaims["Socket"].change, placeClaims["Unlocked"].change, ruleClaims["Root"].change)(&in)

	r := Evaluate(in, Options{Namespace: "acme"})
	for _, c := range r.Checks {
		if c.Section == sectionDaemon || c.Section == sectionHost || c.ID == "7.5" {
			t.Errorf("check %s is not about a namespace", c.ID)
		}
		for _, f := range c.Findings {
			if f.Object.Namespace != "acme" {
				t.Errorf("%s: found %+v", c.ID, f)
			}
		}
	}
	if r.Count() != 1 || checkOf(t, r, "U1").Outcome != OutcomeFinding {
		t.Errorf("got %d findings, want that of the namespace", r.Count())
	}
}

// TestSameInputSameReport: a report that changes by itself cannot be compared with yesterday's.
func TestSameInputSameReport(t *testing.T) {
	in := right(t)
	for _, c := range claims(t) {
		if c.severity != "" && strings.HasPrefix(c.id, "2.") {
			c.change(&in)
		}
	}

	first := Evaluate(in, Options{})
	for range 5 {
		if diff := cmp.Diff(first, Evaluate(in, Options{})); diff != "" {
			t.Fatalf("another report of the same input:\n%s", diff)
		}
	}
}
