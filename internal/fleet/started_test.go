package fleet

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/errdefs"
)

// TestEndOfInputBeforeStart: input that ends before the engine has started the command ends for the command as well.
func TestEndOfInputBeforeStart(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, _ *engine) {
		for _, input := range []string{"", "hello"} {
			ctx, cancel := context.WithTimeout(t.Context(), startBound/2)
			defer cancel()
			var out bytes.Buffer
			code, err := w.Exec(ctx, at(node, plain), ExecOptions{Command: []string{"late"}}, Streams{In: strings.NewReader(input), Out: &out})
			if err != nil || code != 0 || out.String() != input {
				t.Errorf("input %q: got %q, code %d, %v, want the input and its end", input, out.String(), code, err)
			}
		}
	})
}

// TestEndBeforeSeen: a command that is over before anybody has seen it run is not waited for.
func TestEndBeforeSeen(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, _ *engine) {
		for command, want := range map[string]int{"fail": 3, "broken": 126} {
			began := time.Now()
			code, err := w.Exec(t.Context(), at(node, plain), ExecOptions{Command: []string{command}}, Streams{In: strings.NewReader("")})
			if err != nil || code != want {
				t.Errorf("%s: got code %d, %v, want code %d", command, code, err, want)
			}
			if took := time.Since(began); took > startBound/2 {
				t.Errorf("%s: it took %v to end", command, took)
			}
		}
	})
}

func TestAwaitStart(t *testing.T) {
	type answer struct {
		state container.ExecInspect
		err   error
	}
	created, starting := answer{}, answer{state: container.ExecInspect{Running: true}}
	for name, tc := range map[string]struct {
		reason  string
		answers []answer // The last one is given ever after.
		want    time.Duration
	}{
		"Runs":      {"There is nothing to wait for.", []answer{{state: container.ExecInspect{Running: true, Pid: 7}}}, 0},
		"Ended":     {"The end of a process is no reason to wait for it.", []answer{{state: container.ExecInspect{Pid: 7}}}, 0},
		"NoProcess": {"What could not be started never runs.", []answer{starting, {state: container.ExecInspect{ExitCode: 126}}}, startGap},
		"Forgotten": {"What is gone never runs.", []answer{{err: errdefs.NotFound(errors.New("no such exec"))}}, 0},
		"Late": {
			"Neither one that the engine has not come to nor one without a process takes an end of input.",
			[]answer{created, starting, {state: container.ExecInspect{Running: true, Pid: 7}}}, 3 * startGap,
		},
		"NoAnswer": {
			"An engine that fails once may know the next time.",
			[]answer{{err: errors.New("broken pipe")}, {state: container.ExecInspect{Running: true, Pid: 7}}}, startGap,
		},
		"Never":  {"The wait is bounded.", []answer{starting}, startBound},
		"Broken": {"The wait is bounded.", []answer{{err: errors.New("broken pipe")}}, startBound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, asked := time.Now(), 0
				awaitStart(t.Context(), func(context.Context) (container.ExecInspect, error) {
					a := tc.answers[min(asked, len(tc.answers)-1)]
					asked++

					return a.state, a.err
				})
				if took := time.Since(began); took != tc.want {
					t.Errorf("it took %v, want %v. %s", took, tc.want, tc.reason)
				}
				if most := int(startBound/startGapMax) + 5; asked > most {
					t.Errorf("the engine was asked %d times, want at most %d", asked, most)
				}
			})
		})
	}

	t.Run("StreamsEnd", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			awaitStart(ctx, func(context.Context) (container.ExecInspect, error) { return starting.state, nil })
			if took := time.Since(began); took != time.Second {
				t.Errorf("it took %v, want that it ends with the streams", took)
			}
		})
	})
}
