package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strings"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

func isShell(name string) bool {
	switch path.Base(name) {
	case "sh", "bash", "ash":
		return true
	}

	return false
}

// shell runs the text behind -c. Whatever is called in it is a tool or an application, in this process.
func shell(ctx context.Context, args []string) error {
	if len(args) < 3 || args[1] != "-c" {
		return fmt.Errorf("%q: want -c and a text", args)
	}
	script, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(args[2]), "")
	if err != nil {
		return err
	}
	syntax.Walk(script, lessFiles)
	runner, err := interp.New(interp.StdIO(os.Stdin, os.Stdout, os.Stderr), interp.ExecHandlers(call), interp.OpenHandler(open))
	if err != nil {
		return err
	}
	err = runner.Run(ctx, script)
	var status interp.ExitStatus
	if errors.As(err, &status) {
		return fmt.Errorf("%s: status %d", args[2], status)
	}

	return err
}

// lessFiles has descriptors beyond the three that the interpreter knows read from standard input: what is opened is opened.
func lessFiles(node syntax.Node) bool {
	if r, ok := node.(*syntax.Redirect); ok && r.N != nil && r.N.Value > "2" {
		r.N, r.Op = nil, syntax.RdrIn
	}

	return true
}

func call(interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	return func(ctx context.Context, args []string) error {
		h := interp.HandlerCtx(ctx)
		var err error
		if tool, ok := tools[path.Base(args[0])]; ok {
			err = tool(ctx, args[1:], stdio{h.Stdin, h.Stdout})
		} else {
			err = application(ctx, args)
		}
		if err != nil {
			fmt.Fprintf(h.Stderr, "%s: %v\n", args[0], err)
			return interp.ExitStatus(1)
		}

		return nil
	}
}

// open knows the files of bash that are connections.
func open(ctx context.Context, file string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	address, ok := strings.CutPrefix(file, "/dev/tcp/")
	if !ok {
		return interp.DefaultOpenHandler()(ctx, file, flag, perm)
	}

	return (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", strings.Replace(address, "/", ":", 1))
}
