package volumework

import "time"

// lendAfter is how long a hook keeps what its job takes. A quick one leaves nobody waiting. One that lasts writes a dump, say, and nobody
// else is to wait for that.
const lendAfter = time.Minute

// lend lets others have what a job takes, once what it does now has lasted for long: a command in a container takes nothing of ours.
// The function that it returns takes it back, at once, also where that is more than may run: an application has been prepared for being
// read, and is not to stay so for long. How many can come back so Limits.Away says. It may be called more than once.
func (w *Worker) lend(j *job) (back func()) {
	if j.need.free {
		return func() {}
	}
	over := false
	timer := time.AfterFunc(lendAfter, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if over {
			return
		}
		j.away = true
		w.busy.free(&j.need)
		w.busy.lend(&j.need, 1)
		w.dispatch()
	})

	return func() {
		timer.Stop()
		w.mu.Lock()
		defer w.mu.Unlock()
		over = true
		if !j.away {
			return
		}
		j.away = false
		w.busy.lend(&j.need, -1)
		w.busy.take(&j.need)
		w.dispatch() // Others of its tenant may wait for its hook alone.
	}
}
