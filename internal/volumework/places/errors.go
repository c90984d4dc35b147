package places

import (
	"fmt"

	"github.com/dogker/dogker/reconciler/volumejob"
)

// Error is why a place or a key cannot be used. It prints no value of a Secret, and nothing that a store has said.
type Error struct {
	fault volumejob.Fault
	text  string
}

// Error implements error.
func (e *Error) Error() string { return e.text }

// Fault is its class: volumejob.FaultKey for what is wrong with the class and its Secrets, volumejob.FaultStore for the place.
func (e *Error) Fault() volumejob.Fault { return e.fault }

func keyFault(format string, args ...any) error {
	return &Error{volumejob.FaultKey, fmt.Sprintf(format, args...)}
}

func storeFault(format string, args ...any) error {
	return &Error{volumejob.FaultStore, fmt.Sprintf(format, args...)}
}
