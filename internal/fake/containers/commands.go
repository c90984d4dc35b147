package containers

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/dogker/dogker/internal/fleet"
)

// commands that can be run in every container, by name.
var commands = map[string]func(context.Context, fleet.ExecOptions, fleet.Streams) (int, error){
	// echo says what it is given.
	"echo": func(_ context.Context, o fleet.ExecOptions, s fleet.Streams) (int, error) {
		fmt.Fprintln(s.Out, strings.Join(o.Command[1:], " "))
		return 0, nil
	},
	// complain says it to standard error, and fails.
	"complain": func(_ context.Context, o fleet.ExecOptions, s fleet.Streams) (int, error) {
		fmt.Fprintln(orNowhere(s.Err, s.Out), strings.Join(o.Command[1:], " "))
		return 1, nil
	},
	// cat says what it hears, until it hears no more.
	"cat": func(_ context.Context, _ fleet.ExecOptions, s fleet.Streams) (int, error) {
		_, err := io.Copy(s.Out, s.In)
		return 0, err
	},
	// exit ends with a code.
	"exit": func(_ context.Context, o fleet.ExecOptions, _ fleet.Streams) (int, error) {
		return strconv.Atoi(o.Command[1])
	},
	// sleep says that it does, and ends when it is left.
	"sleep": func(ctx context.Context, _ fleet.ExecOptions, s fleet.Streams) (int, error) {
		fmt.Fprintln(s.Out, "asleep")
		<-ctx.Done()
		return 0, ctx.Err()
	},
	// size says how large its terminal is, when it hears that.
	"size": func(ctx context.Context, o fleet.ExecOptions, s fleet.Streams) (int, error) {
		select {
		case size := <-s.Resize:
			fmt.Fprintf(s.Out, "%dx%d tty=%t\n", size.Width, size.Height, o.TTY)
			return 0, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	},
	// flood writes as many bytes as it is told.
	"flood": func(_ context.Context, o fleet.ExecOptions, s fleet.Streams) (int, error) {
		n, err := strconv.ParseInt(o.Command[1], 10, 64)
		if err != nil {
			return 2, nil
		}
		_, err = io.Copy(s.Out, io.LimitReader(zeros{}, n))
		return 0, err
	},
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
