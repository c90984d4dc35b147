package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/source"
)

func TestNobodyWaitsForSomebodyElsesBuilds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2, 1, 100)

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()

		// A tenant whose builds never end has ten of them.
		for range 10 {
			go func() {
				slot, err := q.acquire(ctx, "hostile")
				if err != nil {
					return
				}

				<-ctx.Done()
				q.release("hostile", slot)
			}()
		}

		synctest.Wait()

		for i := range 5 {
			began := time.Now()

			slot, err := q.acquire(t.Context(), "good")
			if err != nil {
				t.Fatal(err)
			}

			if waited := time.Since(began); waited > 0 {
				t.Errorf("build %d of somebody else waited %s", i, waited)
			}

			time.Sleep(time.Second)
			q.release("good", slot)
		}
	})
}

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 1, 100)

		held, err := q.acquire(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}

		var order []string

		for _, tenant := range strings.Fields("a a a b b c") {
			go func() {
				slot, err := q.acquire(t.Context(), tenant)
				if err != nil {
					return
				}

				order = append(order, tenant)
				time.Sleep(time.Second)
				q.release(tenant, slot)
			}()

			synctest.Wait()
		}

		q.release("x", held)
		time.Sleep(time.Minute)
		synctest.Wait()

		if want := strings.Fields("a b c a b a"); !slices.Equal(order, want) {
			t.Errorf("tenants were served in the order %v, want %v", order, want)
		}
	})
}

func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 1, 2)

		slot, err := q.acquire(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		failed := make(chan error, 3)
		for range 3 {
			go func() {
				_, err := q.acquire(ctx, "a")
				failed <- err
			}()
		}

		reasons := map[source.Reason]int{}

		for range 3 {
			var e *source.Error
			if err := <-failed; !errors.As(err, &e) || !e.Transient {
				t.Fatalf("got %v; want to be told to come again", err)
			}

			reasons[e.Reason]++
		}

		if reasons[source.ReasonTimeout] != 2 || reasons[source.ReasonWorkerFailed] != 1 {
			t.Errorf("got %v; want two that waited in vain, and one that was not let in", reasons)
		}

		q.release("a", slot)

		if len(q.free) != 1 || len(q.turns)+len(q.waiting)+len(q.running) != 0 {
			t.Errorf("something is left behind: %+v", q)
		}
	})
}

// TestQueueKeepsItsPromises plays arrivals, departures and changes of mind in any order.
func TestQueueKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slots := rapid.IntRange(1, 4).Draw(t, "slots")
		perTenant := rapid.IntRange(1, slots).Draw(t, "perTenant")
		q := newQueue(slots, perTenant, 1000)

		type build struct {
			tenant string
			w      *waiter
		}

		var waiting, running []build

		held := map[int]string{}

		settle := func() {
			waiting = slices.DeleteFunc(waiting, func(b build) bool {
				select {
				case slot := <-b.w.slot:
					if other, taken := held[slot]; taken {
						t.Fatalf("slot %d is given to %s and to %s", slot, other, b.tenant)
					}

					held[slot] = b.tenant
					b.w.slot <- slot
					running = append(running, b)

					return true
				default:
					return false
				}
			})

			counts := map[string]int{}
			for _, b := range running {
				counts[b.tenant]++
			}

			for tenant, n := range counts {
				if n > perTenant {
					t.Fatalf("%s has %d of %d", tenant, n, perTenant)
				}
			}

			for _, b := range waiting {
				if len(running) < slots && counts[b.tenant] < perTenant {
					t.Fatalf("%s waits, and need not", b.tenant)
				}
			}
		}

		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch {
			case rapid.Bool().Draw(t, "arrives"):
				tenant := fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "tenant"))
				w := &waiter{slot: make(chan int, 1)}

				q.mu.Lock()
				if len(q.waiting[tenant]) == 0 {
					q.turns = append(q.turns, tenant)
				}

				q.waiting[tenant] = append(q.waiting[tenant], w)
				q.give()
				q.mu.Unlock()

				waiting = append(waiting, build{tenant, w})
			case len(running) > 0:
				b := running[0]
				running = running[1:]
				slot := <-b.w.slot
				delete(held, slot)
				q.release(b.tenant, slot)
			case len(waiting) > 0:
				b := waiting[0]
				waiting = waiting[1:]
				q.leave(b.tenant, b.w)
			}

			settle()
		}
	})
}
