package swarmobj

import "errors"

// The classes of errors that Swarm answers with, whatever its text. internal/swarm translates; match with errors.Is.
var (
	// ErrUnavailable: the engine does not answer. Nothing is known, least of all that something is gone.
	ErrUnavailable = errors.New("the engine does not answer")
	// ErrInactive: the engine is no member of a swarm.
	ErrInactive = errors.New("the engine is no member of a swarm")
	// ErrNotManager: the engine is a worker.
	ErrNotManager = errors.New("the engine is a worker, only a manager can be asked")
	// ErrNoLeader: the swarm has no leader at the moment.
	ErrNoLeader = errors.New("the swarm has no leader")
	// ErrStale: the version is no longer current. Read again, decide again.
	ErrStale = errors.New("the version is no longer current")
	// ErrExists: the name is taken.
	ErrExists = errors.New("the name is taken")
	// ErrNotFound: there is no such object.
	ErrNotFound = errors.New("there is no such object")
	// ErrInUse: something still refers to it.
	ErrInUse = errors.New("it is still in use")
	// ErrPortInUse: another service has published the port.
	ErrPortInUse = errors.New("the port is published by another service")
	// ErrRefused: the engine refuses the object as it is; asking again changes nothing.
	ErrRefused = errors.New("the engine refuses it")
	// ErrUnknownOutcome: no answer came in time. The write may have happened or may still happen.
	ErrUnknownOutcome = errors.New("no answer came in time, the write may have happened")
)
