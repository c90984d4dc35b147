package billing

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/money"
)

// list is a price list that was made some hours after the start, and is in effect from an hour on, or at once if that is
// below zero.
func list(name, replaces string, made, from int) billingv1.PriceList {
	l := billingv1.PriceList{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(start.Add(time.Duration(made) * time.Hour))}}
	l.Spec.Replaces = dogkerv1.DNSLabel(replaces)
	if from >= 0 {
		at := metav1.NewTime(start.Add(time.Duration(from) * time.Hour))
		l.Spec.EffectiveFrom = &at
	}

	return l
}

func TestInEffect(t *testing.T) {
	cases := map[string]struct {
		reason string
		lists  []billingv1.PriceList
		name   string
		// at is in hours after the start.
		at   int
		want string
	}{
		"TheOneThatIsNamed":     {reason: "Nothing replaces it.", lists: []billingv1.PriceList{list("a", "", 0, -1), list("z", "", 0, -1)}, name: "a", at: 1, want: "a"},
		"NotThere":              {reason: "There is nothing to charge by.", lists: []billingv1.PriceList{list("a", "", 0, -1)}, name: "b", at: 1},
		"NoName":                {reason: "The plan is not billed.", lists: []billingv1.PriceList{list("a", "", 0, -1)}, at: 1},
		"NotYet":                {reason: "Its hour has not come.", lists: []billingv1.PriceList{list("a", "", 0, 5)}, name: "a", at: 4},
		"FromItsHour":           {reason: "Its hour is the first.", lists: []billingv1.PriceList{list("a", "", 0, 5)}, name: "a", at: 5, want: "a"},
		"NotBeforeItWasMade":    {reason: "At once is not before.", lists: []billingv1.PriceList{list("a", "", 2, -1)}, name: "a", at: 1},
		"ReplacedLater":         {reason: "The old prices hold until then.", lists: []billingv1.PriceList{list("a", "", 0, -1), list("b", "a", 1, 5)}, name: "a", at: 4, want: "a"},
		"Replaced":              {reason: "Plans need not be changed.", lists: []billingv1.PriceList{list("a", "", 0, -1), list("b", "a", 1, 5)}, name: "a", at: 5, want: "b"},
		"ReplacedTwice":         {reason: "Each replaces the one before.", lists: []billingv1.PriceList{list("c", "b", 2, 6), list("b", "a", 1, 5), list("a", "", 0, -1)}, name: "a", at: 7, want: "c"},
		"NamedInTheMiddle":      {reason: "A plan may name any of them; what came before it does not matter.", lists: []billingv1.PriceList{list("a", "", 0, -1), list("b", "a", 1, -1), list("c", "b", 2, -1)}, name: "b", at: 3, want: "c"},
		"LinkIsNotInEffect":     {reason: "What replaces a list that is not in effect has nothing to replace.", lists: []billingv1.PriceList{list("a", "", 0, -1), list("b", "a", 1, 9), list("c", "b", 2, 5)}, name: "a", at: 6, want: "a"},
		"OldestOfAFork":         {reason: "One list replaces another; who came second replaces nothing.", lists: []billingv1.PriceList{list("a", "", 0, -1), list("y", "a", 1, 5), list("b", "a", 2, 3)}, name: "a", at: 9, want: "y"},
		"OldestIsNotYet":        {reason: "The second of a fork does not step in meanwhile: prices would jump back and forth.", lists: []billingv1.PriceList{list("a", "", 0, -1), list("y", "a", 1, 5), list("b", "a", 2, 3)}, name: "a", at: 4, want: "a"},
		"ForkMadeAtOnce":        {reason: "Names decide.", lists: []billingv1.PriceList{list("a", "", 0, -1), list("c", "a", 1, -1), list("b", "a", 1, -1)}, name: "a", at: 9, want: "b"},
		"Itself":                {reason: "Nothing is replaced by itself.", lists: []billingv1.PriceList{list("a", "a", 0, -1)}, name: "a", at: 1, want: "a"},
		"Cycle":                 {reason: "A chain ends where it has been before.", lists: []billingv1.PriceList{list("a", "c", 0, -1), list("b", "a", 1, -1), list("c", "b", 2, -1)}, name: "a", at: 9, want: "c"},
		"CycleThatIsNotReached": {reason: "It is nobody's.", lists: []billingv1.PriceList{list("a", "", 0, -1), list("b", "c", 1, -1), list("c", "b", 2, -1)}, name: "a", at: 9, want: "a"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := InEffect(c.lists, c.name, start.Add(time.Duration(c.at)*time.Hour))
			if ok != (c.want != "") || (ok && got.Name != c.want) {
				t.Errorf("%s\ngot %v, want %q", c.reason, got, c.want)
			}
		})
	}
}

// TestInEffectIsOne: whatever people write, in whatever order it is listed, there is one answer, and it is in effect.
func TestInEffectIsOne(t *testing.T) {
	const names = "abcdef"
	rapid.Check(t, func(t *rapid.T) {
		var lists []billingv1.PriceList
		for _, name := range names[:rapid.IntRange(0, len(names)).Draw(t, "lists")] {
			replaces := rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e", "f"}).Draw(t, "replaces")
			lists = append(lists, list(string(name), replaces, rapid.IntRange(0, 3).Draw(t, "made"), rapid.IntRange(-1, 6).Draw(t, "from")))
		}
		at := start.Add(time.Duration(rapid.IntRange(0, 7).Draw(t, "at")) * time.Hour)
		got, ok := InEffect(lists, "a", at)
		if ok && Effective(got).After(at) {
			t.Fatalf("%s is in effect from %s, not at %s", got.Name, Effective(got), at)
		}
		other, also := InEffect(rapid.Permutation(lists).Draw(t, "order"), "a", at)
		if ok != also || (ok && got.Name != other.Name) {
			t.Fatalf("%v or %v, by the order of the list", got, other)
		}
		later, still := InEffect(lists, "a", at.Add(time.Hour))
		if ok && !still {
			t.Fatalf("%s is in effect, and nothing an hour later", got.Name)
		}
		if ok && !slices.Contains(chain(lists, "a"), later.Name) {
			t.Fatalf("%s does not follow from a", later.Name)
		}
	})
}

// chain are the lists that replaced one another, by name.
func chain(lists []billingv1.PriceList, name string) []string {
	var out []string
	for l := Named(lists, name); l != nil && !slices.Contains(out, l.Name); l = Successor(lists, l.Name) {
		out = append(out, l.Name)
	}

	return out
}

func TestPricesOf(t *testing.T) {
	l := list("a", "", 0, -1)
	l.Spec.Prices = billingv1.Prices{CPU: "150", Memory: "37.5", Egress: "0"}
	got, err := PricesOf(&l)
	want := map[money.Meter]money.Micro{money.CPU: rupiah(150), money.Memory: 37_500_000, money.Egress: 0}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, bad := range []billingv1.Amount{"-1", "1e3", "1.0000001", "1,000", " 1", "99999999999999"} {
		l.Spec.Prices.Memory = bad
		_, err := PricesOf(&l)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf(`price list "a": spec.prices.memory: invalid value: %q`, bad)) {
			t.Errorf("a price of %q: %v", bad, err)
		}
	}
}
