package worker

import (
	"encoding/json"
	"io"
)

// Confine reads a request and obeys its limits, for workers of tests that do not build.
func Confine(in io.Reader) error {
	var t task
	if err := json.NewDecoder(in).Decode(&t); err != nil {
		return err
	}

	return confine(t)
}
