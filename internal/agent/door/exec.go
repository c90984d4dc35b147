package door

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/docker/docker/api/types/container"
)

const (
	// maxBody bounds what is read of a request, and maxAnswer of an answer that is looked into.
	maxBody   = 64 << 10
	maxAnswer = 64 << 10
	// maxExecs bounds the execs that are remembered. The oldest are forgotten first, long after they have ended.
	maxExecs = 4096
)

// execRequest is the body by which a command is made, as the engine reads it.
type execRequest struct {
	User         string
	Privileged   bool
	Tty          bool
	ConsoleSize  *[2]uint `json:",omitempty"`
	AttachStdin  bool
	AttachStderr bool
	AttachStdout bool
	DetachKeys   string
	Env          []string
	WorkingDir   string
	Cmd          []string
	Detach       bool
}

// execBody lets a command run as the container itself does, with nothing that the container does not have.
func execBody(data []byte) ([]byte, error) {
	var o execRequest
	if err := strictly(data, &o); err != nil {
		return nil, err
	}

	switch {
	case len(o.Cmd) == 0:
		return nil, errors.New("field Cmd: must not be empty")
	case o.Privileged:
		return nil, errors.New("field Privileged: true is not allowed")
	case o.User != "":
		return nil, fmt.Errorf("field User: %s is not allowed: a command runs as the container does", printable(o.User))
	case len(o.Env) > 0:
		return nil, errors.New("field Env: variables are not allowed: a command has those of the container")
	case o.WorkingDir != "":
		return nil, fmt.Errorf("field WorkingDir: %s is not allowed: a command runs where the container does", printable(o.WorkingDir))
	case o.DetachKeys != "":
		return nil, errors.New("field DetachKeys: keys are not allowed")
	case o.Detach:
		return nil, errors.New("field Detach: true is not allowed")
	}

	return json.Marshal(execRequest{
		Cmd: o.Cmd, Tty: o.Tty, ConsoleSize: o.ConsoleSize,
		AttachStdin: o.AttachStdin, AttachStdout: o.AttachStdout, AttachStderr: o.AttachStderr,
	})
}

// startBody starts it attached: nobody would see what a detached one does, nor end it.
func startBody(data []byte) ([]byte, error) {
	var o container.ExecStartOptions
	if err := strictly(data, &o); err != nil {
		return nil, err
	}
	if o.Detach {
		return nil, errors.New("field Detach: true is not allowed")
	}

	return json.Marshal(container.ExecStartOptions{Tty: o.Tty, ConsoleSize: o.ConsoleSize})
}

// strictly reads one JSON object without a field that is not known. What is sent is written anew from it, so that it does
// not matter which of two spellings of a field counts.
func strictly(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("the body cannot be read: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body goes on after its end")
	}

	return nil
}

// execs remembers what was started through the door, and in which container.
type execs struct {
	mu    sync.Mutex
	of    map[string]string
	order []string
}

func (e *execs) add(exec, container string) {
	e.mu.Lock()
	defer e.mu.Unlock()

	if len(e.order) >= maxExecs {
		delete(e.of, e.order[0])
		e.order = e.order[1:]
	}
	e.of[exec] = container
	e.order = append(e.order, exec)
}

func (e *execs) container(exec string) (string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()

	id, known := e.of[exec]

	return id, known
}

// learn reads the ID of an exec from the engine's answer, and leaves the answer as it is.
func (e *execs) learn(resp *http.Response, in string) error {
	if resp.StatusCode != http.StatusCreated {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(data))

	var made container.ExecCreateResponse
	if err := json.Unmarshal(data, &made); err != nil {
		return err
	}
	if fullID.MatchString(made.ID) {
		e.add(made.ID, in)
	}

	return nil
}
