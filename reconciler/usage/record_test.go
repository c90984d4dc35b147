package usage

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRecordIsReadBackAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawRuns(t)
		for i := range a.runs {
			if a.runs[i].open() && rapid.Bool().Draw(t, "doubt") {
				a.runs[i].sure, a.runs[i].node = a.At-rapid.Int64Range(0, 60).Draw(t, "since"), "n"
			}
		}
		if rapid.Bool().Draw(t, "gap") {
			a.gaps = []Gap{{Cause: CauseCatchUp, From: epoch, To: epoch + 5, Seconds: 5}}
		}

		data, err := a.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeAccount("acme", data)
		if err != nil {
			t.Fatalf("decode %s: %v", data, err)
		}
		if diff := cmp.Diff(a, got, cmp.AllowUnexported(Account{}, run{})); diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
	})
}

func TestDecodeAccount(t *testing.T) {
	const run = `{"kind":"K","name":"web","uid":"u","replicas":1,"runs":[{"id":"a","node":"n","from":100}]}`
	whole := func(groups string) string { return `{"version":1,"through":1,"at":150,"groups":[` + groups + `]}` }
	changed := func(old, with string) string { return whole(strings.Replace(run, old, with, 1)) }

	cases := map[string]struct {
		reason string
		data   string
		err    error
		text   string
	}{
		"Good":           {"This is what it looks like.", whole(run), nil, ""},
		"Empty":          {"An account may have nothing to remember but its cursor.", `{"version":1,"through":1,"at":150}`, nil, ""},
		"Newer":          {"A newer program knows something that we would lose.", `{"version":2,"later":true}`, ErrNewer, "version 2"},
		"NoVersion":      {"It was not written by us.", `{"through":1,"at":150}`, ErrCorrupt, "version 0"},
		"NotJSON":        {"It was not written by us.", `through=1`, ErrCorrupt, "invalid character"},
		"Nothing":        {"A record is never empty.", ``, ErrCorrupt, "unexpected end"},
		"UnknownField":   {"What is not understood is not dropped.", `{"version":1,"through":1,"at":150,"more":1}`, ErrCorrupt, `"more"`},
		"SomethingAfter": {"Nor is what follows.", whole(run) + `{}`, ErrCorrupt, "after top-level value"},
		"Spaces":         {"There is one way to write it.", whole(run) + "\n", ErrCorrupt, "not written as"},
		"FieldTwice":     {"Two readers could disagree about which one counts.", `{"version":1,"through":9,"through":1,"at":150}`, ErrCorrupt, "not written as"},
		"Fraction":       {"Quantities are whole.", changed(`"from":100`, `"from":100.5`), ErrCorrupt, "100.5"},
		"NoID":           {"A run is a task.", changed(`"a"`, `""`), ErrCorrupt, `id ""`},
		"EndsBefore":     {"It ends after it begins.", changed(`100}`, `100,"to":100}`), ErrCorrupt, "ends at 100"},
		"SureTooLate":    {"Nothing is known of the future.", changed(`100}`, `100,"sure":151}`), ErrCorrupt, "sure until 151"},
		"OfNothing":      {"What uses nothing is not kept.", changed(`"replicas":1,`, ``), ErrCorrupt, "it uses"},
		"OfLess":         {"Nobody uses less than nothing.", changed(`1`, `-1`), ErrCorrupt, "it uses"},
		"Twice":          {"A task runs once.", changed(`100}`, `100},{"id":"a","node":"n","from":120}`), ErrCorrupt, "goes on twice"},
		"OutOfOrder":     {"There is one order.", changed(`100}`, `100},{"id":"A","node":"n","from":120}`), ErrCorrupt, "out of order"},
		"NegativeCursor": {"Windows are counted from zero.", `{"version":1,"through":-1,"at":150}`, ErrCorrupt, "through -1"},
		"FarAway":        {"No clock gets there.", changed(`100}`, `1099511627777}`), ErrCorrupt, "from 1099511627777"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeAccount("acme", []byte(tc.data))
			if !errors.Is(err, tc.err) || err != nil && !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%s\ngot %v, want %v with %q", tc.reason, err, tc.err, tc.text)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	a := Account{Tenant: "acme", At: epoch}
	for i := range 5000 {
		a.runs = append(a.runs, run{
			id: fmt.Sprintf("%025d", i), node: strings.Repeat("n", 25), workload: Workload{"TenantContainer", "web", strings.Repeat("u", 36)},
			shape: Shape{NanoCPUs: 1, MemoryBytes: 1, Replicas: 1}, from: epoch,
		})
	}
	if data, err := a.Encode(); err != nil {
		t.Errorf("5000 tasks must fit: %v", err)
	} else if _, err := DecodeAccount("acme", data); err != nil {
		t.Error(err)
	}

	a.runs = append(a.runs, a.runs...)
	if _, err := a.Encode(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("10000 tasks: got %v, want ErrTooLarge", err)
	}
}

func TestMark(t *testing.T) {
	m := Mark{At: 150, Behind: map[string]int64{"slow": 90}}
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeMark(data)
	if err != nil || cmp.Diff(m, got) != "" {
		t.Errorf("read %+v, %v; wrote %+v", got, err, m)
	}
	if got.For("slow") != 90 || got.For("other") != 150 {
		t.Errorf("slow is at %d, others at %d; want 90 and 150", got.For("slow"), got.For("other"))
	}

	if none, err := DecodeMark(nil); err != nil || none.At != 0 {
		t.Errorf("nothing is read as %+v, %v; want the zero mark", none, err)
	}
	for text, want := range map[string]error{
		`{"version":2}`: ErrNewer, `{}`: ErrCorrupt, `x`: ErrCorrupt, `{"version":1,"at":1,"b":2}`: ErrCorrupt,
		`{"version":1,"at":1,"behind":{"a":2}}`: ErrCorrupt,
	} {
		if _, err := DecodeMark([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", text, err, want)
		}
	}
}

// FuzzDecodeAccount: whatever is stored, it is refused or means something, and means the same when it is written again.
func FuzzDecodeAccount(f *testing.F) {
	f.Add([]byte(`{"version":1,"through":1,"at":150,"groups":[{"kind":"K","name":"w","uid":"u","replicas":1,"runs":[{"id":"a","from":100}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := DecodeAccount("acme", data)
		if err != nil {
			return
		}
		again, err := a.Encode()
		if err != nil || string(again) != string(data) {
			t.Errorf("%q is written as %q, %v", data, again, err)
		}
		for _, next, due := a.Due(); due; _, next, due = next.Due() {
			if next.Through <= a.Through {
				t.Fatalf("the cursor stays at %d", a.Through)
			}
			a = next
		}
	})
}
