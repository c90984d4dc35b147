package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// commands are what can be run in a container beside the server, since its image holds no shell.
var commands = map[string]func(args []string) int{
	// echo says what it is told.
	"echo": func(args []string) int {
		fmt.Println(strings.Join(args, " "))
		return 0
	},
	// complain says it to standard error, and fails.
	"complain": func(args []string) int {
		fmt.Fprintln(os.Stderr, strings.Join(args, " "))
		return 1
	},
	// exit ends with a code.
	"exit": func(args []string) int {
		code, err := strconv.Atoi(args[0])
		if err != nil {
			return 2
		}
		return code
	},
	// cat says what it hears.
	"cat": func([]string) int {
		if _, err := io.Copy(os.Stdout, os.Stdin); err != nil {
			return 1
		}
		return 0
	},
	// log writes a line into the log of the container, as its first process would.
	"log": func(args []string) int {
		f, err := os.OpenFile("/proc/1/fd/1", os.O_WRONLY, 0)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer f.Close()
		fmt.Fprintln(f, strings.Join(args, " "))
		return 0
	},
	// append adds a line to a file, and says what that holds then.
	"append": func(args []string) int {
		if err := appendTo(args[0], strings.Join(args[1:], " ")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	},
	// count says how much it has heard, once its input has ended.
	"count": func([]string) int {
		n, err := io.Copy(io.Discard, os.Stdin)
		if err != nil {
			return 1
		}
		fmt.Printf("heard %d bytes\n", n)
		return 0
	},
	// terminal is for whoever sits at a terminal.
	"terminal": terminal,
}

// appendTo has the line on the disk before it says what the file holds.
func appendTo(file, line string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, line)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	content, err := os.ReadFile(file)
	fmt.Print(string(content))

	return err
}
