package servicespec

import (
	"fmt"
)

// FieldError says which field cannot be expressed in Swarm, and why. Only a change of the object helps.
type FieldError struct {
	// Field is the path of the field, such as spec.security.runAsGroup.
	Field string
	// Problem with its value, and what is allowed.
	Problem string
}

// Error implements error.
func (e *FieldError) Error() string {
	return e.Field + ": " + e.Problem
}

// MissingError says that a field refers to an object or a key that does not exist. It may come to exist.
type MissingError struct {
	// Field is the path of the reference, such as spec.env[PASSWORD].valueFrom.secretKeyRef.
	Field string
	// Kind and Name of the object.
	Kind Kind
	Name string
	// Key that the object lacks; empty when there is no such object.
	Key string
}

// Error implements error.
func (e *MissingError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("%s: there is no %s %q", e.Field, e.Kind, e.Name)
	}

	return fmt.Sprintf("%s: %s %q has no key %q", e.Field, e.Kind, e.Name, e.Key)
}

// ContentError says that what a reference holds cannot be used. Its text never shows the content.
type ContentError struct {
	// Field is the path of the reference.
	Field string
	// Kind, Name and Key of what it refers to.
	Kind Kind
	Name string
	Key  string
	// Problem with the content, and what is allowed.
	Problem string
}

// Error implements error.
func (e *ContentError) Error() string {
	return fmt.Sprintf("%s: key %q of %s %q %s", e.Field, e.Key, e.Kind, e.Name, e.Problem)
}
