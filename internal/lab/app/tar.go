package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// tarCommand is as much of tar as `kubectl cp` uses, for plain files: the image has it under that name.
//
//	tar cf - FILE...           an archive of them to standard output
//	tar -xmf - [-C DIRECTORY]  what is in the archive on standard input, into the directory
func tarCommand(args []string) int {
	var err error
	switch {
	case len(args) > 2 && strings.Contains(args[0], "c"):
		err = pack(args[2:])
	case len(args) > 1 && strings.Contains(args[0], "x"):
		into := "."
		for i, arg := range args {
			if arg == "-C" && i+1 < len(args) {
				into = args[i+1]
			}
		}
		err = unpack(into)
	default:
		err = fmt.Errorf("%q is not understood", args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tar:", err)
		return 2
	}

	return 0
}

func pack(files []string) error {
	w := tar.NewWriter(os.Stdout)
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: strings.TrimLeft(name, "/"), Mode: 0o644, Size: int64(len(content))}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}

	return w.Close()
}

func unpack(into string) error {
	for r := tar.NewReader(os.Stdin); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			return fmt.Errorf("%s is no plain file", header.Name)
		}
		f, err := os.Create(filepath.Join(into, filepath.Clean("/"+header.Name)))
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
}
