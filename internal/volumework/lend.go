package volumework

import "time"

// lendAfter is how long a hook keeps what its job takes. A quick one prepares an application for being read, which is then not to wait
// for others. One that lasts writes a dump, say, and nobody else is to wait for that.
const lendAfter = time.Minute

// lend lets others have what a job takes, once what it does now has lasted for long: a command in a container takes nothing of ours.
// The function that it returns waits until the job has that again, or is cancelled.
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
		over = true
		if !j.away {
			w.mu.Unlock()
			return
		}
		again := make(chan struct{})
		j.back = again
		w.waiting = append(w.waiting, j)
		w.dispatch()
		w.mu.Unlock()

		select {
		case <-again:
		case <-j.over:
			w.mu.Lock()
			w.unqueue(j)
			j.back = nil // What follows sees by itself that it is over, and finish that it is away.
			w.mu.Unlock()
		}
	}
}
