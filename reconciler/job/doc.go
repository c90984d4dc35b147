// Package job is the book of what control loops have begun and do not wait for: a build, a look at a registry. A pass starts a
// job and returns; the job's end wakes the loop, and the next pass takes what it came to.
//
//	pass ── Start ──► goroutine ── wake ──► pass ── Take
//
// There is at most one job for an object. What a job came to is told once, and only if nobody has started another one for the
// object, or cancelled it, since.
//
// Nothing in the book outlives the process: who starts finds no job, and starts one.
//
// Callers: controllers. It imports nothing of ours.
package job
