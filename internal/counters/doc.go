// Package counters reads one counter out of the metrics that a container shows of itself.
//
// Who listens there is a stranger: what is read of the answer is bounded in time and in length, redirects are not followed, and
// errors say what the owner of the container may read, which is nothing about nodes.
//
// Callers: cmd, for controllers/autoscaler. It must not import controllers.
package counters
