package solvency

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/money"
)

func drawRules(t *rapid.T) Rules {
	hours := func(label string, least, most int64) time.Duration {
		return time.Duration(rapid.Int64Range(least, most).Draw(t, label)) * time.Minute
	}
	amount := func(label string, most int64) money.Micro {
		return money.Micro(rapid.Int64Range(0, most).Draw(t, label)) * money.Rupiah
	}

	r := Rules{
		GracePeriod: hours("grace", 0, 180), MinRunway: hours("minRunway", 1, 180),
		Overdraft: amount("overdraft", 50), Floor: amount("floor", 100), MonthlyCap: amount("cap", 3000),
		CapSuspends: rapid.Bool().Draw(t, "capSuspends"), Hold: rapid.IntRange(0, 15).Draw(t, "hold") == 0,
	}
	for range rapid.IntRange(0, 4).Draw(t, "warnings") {
		r.Warnings = append(r.Warnings, hours("warning", 1, 5000))
	}

	return r
}

// TestSameFactsTwice: a look at what has been looked at changes nothing and says nothing, and the state survives being
// stored.
func TestSameFactsTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, state := drawRules(t), State{}
		f := Facts{Now: start, Month: "2026-11"}

		for range rapid.IntRange(1, 20).Draw(t, "looks") {
			f = drawFacts(t, f)
			once, _ := state.Next(r, f)
			twice, said := once.Next(r, f)
			if len(said) > 0 || !reflect.DeepEqual(once, twice) {
				t.Fatalf("the second look says %v and makes %+v of %+v", said, twice, once)
			}

			raw, err := json.Marshal(once)
			if err != nil {
				t.Fatal(err)
			}
			var read State
			if err := json.Unmarshal(raw, &read); err != nil {
				t.Fatal(err)
			}
			if again, said := read.Next(r, f); len(said) > 0 || again.Phase != once.Phase {
				t.Fatalf("after it was stored as %s, it says %v", raw, said)
			}
			state = once
		}
	})
}

// drawFacts moves time and money on.
func drawFacts(t *rapid.T, f Facts) Facts {
	f.Now = f.Now.Add(time.Duration(rapid.Int64Range(1, 120).Draw(t, "minutes")) * time.Minute)
	f.Rate = money.Micro(rapid.Int64Range(0, 200).Draw(t, "rate")) * money.Rupiah
	f.LastHour = money.Micro(rapid.Int64Range(0, 200).Draw(t, "lastHour")) * money.Rupiah
	f.Spent += money.Micro(rapid.Int64Range(0, 300).Draw(t, "spent")) * money.Rupiah
	f.Available -= money.Micro(rapid.Int64Range(0, 300).Draw(t, "used")) * money.Rupiah
	if rapid.IntRange(0, 3).Draw(t, "pays") == 0 {
		f.Available += money.Micro(rapid.Int64Range(1, 2000).Draw(t, "payment")) * money.Rupiah
		f.Epoch++
	}

	return f
}

// TestPromises are those of the package comment, over lives of accounts.
func TestPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, state := drawRules(t), State{}
		f := Facts{Now: start, Month: "2026-11", Available: money.Micro(rapid.Int64Range(0, 5000).Draw(t, "first")) * money.Rupiah}
		given := map[string]bool{}

		for range rapid.IntRange(1, 40).Draw(t, "looks") {
			f = drawFacts(t, f)
			before := state
			var said []Notice
			state, said = state.Next(r, f)

			for _, n := range said {
				id := fmt.Sprint(n.Kind, n.Mark, f.Epoch)
				once := n.Kind == LowBalance || n.Kind == ResumeShortfall || n.Kind == GraceBegan
				if once && given[id] {
					t.Fatalf("%+v is said twice in epoch %d", n, f.Epoch)
				}
				given[id] = true
			}
			if state.Phase == Suspended && before.Phase != Suspended && !has(said, WasSuspended) {
				t.Fatalf("suspended without a word: %v", said)
			}
			if state.Phase.Runs() && before.Phase != "" && !before.Phase.Runs() && Missing(r, f) > 0 {
				t.Fatalf("runs again with %s, and %s is missing", f.Available, Missing(r, f))
			}
			if r.Hold && state.Phase.Runs() {
				t.Fatal("runs in spite of a hold")
			}
			if state.Phase == Grace && f.Now.After(state.Since.Add(r.GracePeriod)) {
				t.Fatalf("in grace since %s", state.Since)
			}
		}
	})
}

func has(notices []Notice, kind Kind) bool {
	for _, n := range notices {
		if n.Kind == kind {
			return true
		}
	}

	return false
}

// TestPayingWhatIsMissingSuffices: neither a rupiah too much is asked for, nor too little.
func TestPayingWhatIsMissingSuffices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rules{MinRunway: time.Duration(rapid.Int64Range(0, 1000).Draw(t, "minRunway")) * time.Minute}
		f := Facts{
			Now: start, Available: money.Micro(rapid.Int64Range(-1e15, 1e15).Draw(t, "available")),
			Rate: money.Micro(rapid.Int64Range(0, 1e13).Draw(t, "rate")),
		}
		missing := Missing(r, f)
		if missing == 0 {
			return
		}

		state := State{Phase: Suspended, Since: start.Add(-time.Hour)}
		f.Available += missing - 1
		if next, _ := state.Next(r, f); next.Phase.Runs() {
			t.Fatalf("%s suffices already", missing-1)
		}
		f.Available++
		if next, _ := state.Next(r, f); !next.Phase.Runs() {
			t.Fatalf("%s does not suffice", missing)
		}
	})
}

// TestCost holds the arithmetic against that of numbers without an end.
func TestCost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Int64Min(0).Draw(t, "rate")
		d := rapid.Int64Min(0).Draw(t, "duration")

		want := new(big.Int).Mul(big.NewInt(rate), big.NewInt(d))
		want.Add(want, big.NewInt(int64(time.Hour)-1)).Div(want, big.NewInt(int64(time.Hour)))
		if !want.IsInt64() {
			want.SetInt64(math.MaxInt64)
		}
		if got := Cost(money.Micro(rate), time.Duration(d)); int64(got) != want.Int64() {
			t.Fatalf("got %d, want %s", got, want)
		}
	})
}

// TestRunway is the other way round: the money lasts for the runway, and no second longer.
func TestRunway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Facts{Available: money.Micro(rapid.Int64Range(1, 1e15).Draw(t, "available")), Rate: money.Micro(rapid.Int64Range(1, 1e12).Draw(t, "rate"))}
		runway, finite := Runway(f)
		if !finite {
			t.Fatal("somebody who spends has no end")
		}
		if runway == longest {
			return
		}

		used := func(d time.Duration) *big.Int {
			n := new(big.Int).Mul(big.NewInt(int64(f.Rate)), big.NewInt(int64(d/time.Second)))
			return n.Div(n, big.NewInt(3600))
		}
		available := big.NewInt(int64(f.Available))
		if used(runway).Cmp(available) > 0 || used(runway+time.Second).Cmp(available) < 0 {
			t.Fatalf("%s lasts %s at %s an hour", f.Available, runway, f.Rate)
		}
	})
}
