//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// TestJobsAreCharged: a tenant pays for its jobs for as long as their containers ran, by the engine's own word, and for nothing between
// runs. When its money is gone what runs is stopped, no tick has a run, and what was stopped is not begun again by the next payment.
func TestJobsAreCharged(t *testing.T) {
	t.Parallel()
	l := lab.Start(t, lab.Options{})
	etcd := killableEtcd(t, l)
	c := ownBillingCell(t, l, false, "--etcd-endpoints", etcd.client)
	p := c.payer(t, "errands", rash())
	w, y := c.watch(t), p.tally()

	p.refuses(func() error {
		j := jobOf("early", nil)
		j.Namespace = p.name

		return p.api.Create(t.Context(), j)
	}, "10000")
	p.pays("first", "85000") // For eight tasks and a half, a minute.
	rightMoment()
	p.create(jobOf("report", nil, tasksOf(2, 2), lasting(40*time.Second)))
	p.create(jobOf("bad", []string{"exit", "3"}, backoffLimit(1)))
	p.create(jobOf("ticks", []string{"echo", "tick"}, minutely(v1alpha1.ConcurrencyForbid)))
	p.create(jobOf("endless", nil, tasksOf(4, 4)))

	p.runOver(goneBy, "report", v1alpha1.RunSucceeded)
	p.runOver(goneBy, "bad", v1alpha1.RunFailed)
	p.phase(3*charged, "Suspended")
	suspended := time.Now()
	run := p.runOver(atLast, "endless", v1alpha1.RunInterrupted)
	if !strings.Contains(run.Message, "suspended") {
		t.Errorf("the run that was stopped says %s: %s", run.Reason, run.Message)
	}
	await(t, atLast, "nothing runs any more", p.idle)
	p.wantNothingOfRuns()

	// The minute of the suspension is charged within the next one, which begins with a tick.
	had := y.services()
	time.Sleep(time.Until(time.Now().Truncate(minute).Add(minute + 45*time.Second)))
	if now := y.services(); fmt.Sprint(now) != fmt.Sprint(had) {
		t.Errorf("services of a suspended tenant: %v, and before %v", now, had)
	}

	books := etcd.books(t, p.name)
	books.verify(t)
	for _, job := range []string{"report", "bad", "ticks", "endless"} {
		var tasks []life
		for _, service := range y.servicesOf(job) {
			tasks = append(tasks, w.of(t, p.name, strings.TrimPrefix(service, swarmobj.ServiceName(p.name, "")))...)
		}
		// What tasks take to stop is used when nothing is left that could pay for it.
		var waived time.Duration
		for _, l := range tasks {
			waived += max(0, l.ended.Sub(suspended.Truncate(minute)))
		}
		books.wantSecondsOf(t, "TenantJob", job, tasks, waived)
	}

	p.pays("second", "200000")
	p.runs(soon)
	await(t, goneBy, "ticks have runs again, and those of the suspension are counted", func() error {
		j, err := p.readJob("ticks")
		if err != nil {
			return err
		}
		for _, m := range j.Status.Missed {
			if m.Reason == v1alpha1.MissedSuspended && m.Count > 0 && len(y.servicesOf("ticks")) > len(had["ticks"]) {
				return nil
			}
		}

		return fmt.Errorf("%+v", j.Status)
	})
	j, err := p.readJob("endless")
	if err != nil {
		t.Fatal(err)
	}
	if len(j.Status.History) != 1 || len(j.Status.Active) > 0 || len(y.servicesOf("endless")) != 1 {
		t.Errorf("a run that was stopped was begun again: %+v", j.Status)
	}
	p.halt("ticks")
	await(t, atLast, "nothing runs", p.idle)
	y.wantAll(5)
}
