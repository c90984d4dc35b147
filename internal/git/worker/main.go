package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/dogker/dogker/internal/git"
)

// Command is the subcommand of dogker that is a worker.
const Command = "git-worker"

const (
	// maxStack ends a recursion that a repository has thought of, long before memory is short.
	maxStack = 64 << 20
	// share of the memory limit, in percent, at which the collector works harder.
	share = 80
)

// errElsewhere is what becomes of every request that is not one of package fetch, which has a client of its own.
var errElsewhere = errors.New("nothing is fetched from elsewhere")

// nowhere is a network that leads nowhere.
type nowhere struct{}

// RoundTrip refuses.
func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, errElsewhere }

// Main is a worker: it says that it is ready, reads a request, builds, lists or commits, answers, and returns. It is meant to be all that its process
// does, in an empty directory that is its own.
func Main(ctx context.Context, in io.Reader, out io.Writer) error {
	http.DefaultTransport = nowhere{}

	debug.SetMaxStack(maxStack)
	runtime.GOMAXPROCS(min(2, runtime.GOMAXPROCS(0))) // one builds, one collects

	dir, err := os.Getwd()
	if err != nil {
		return err
	}

	if err := json.NewEncoder(out).Encode(line{Ready: true}); err != nil {
		return err
	}

	var t task
	if err := json.NewDecoder(io.LimitReader(in, 2*maxRequest)).Decode(&t); err != nil {
		// What could not be read may hold secrets, and so may the error.
		return errors.New("read request: it is not in the form of one")
	}

	if err := confine(t); err != nil {
		return fmt.Errorf("set limits: %w", err)
	}

	debug.SetMemoryLimit(t.MemoryBytes / 100 * share)

	b := git.Builder{Dir: dir}

	switch {
	case t.Refs != nil:
		refs, err := b.Refs(ctx, *t.Refs)

		return written(replyRefs(out, refs, err))
	case t.Edit != nil:
		edited, err := b.Edit(ctx, *t.Edit)

		return written(replyEdited(out, edited, err))
	default:
		built, err := b.Build(ctx, t.Request)

		return written(reply(out, built, err))
	}
}

func written(err error) error {
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}

	return nil
}
