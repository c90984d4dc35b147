package main

import (
	"bufio"
	"fmt"
	"os"
)

// talk writes so many lines of 100 bytes, which are numbered, to standard output.
func talk(lines int) {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()

	for n := range lines {
		fmt.Fprintf(out, "%099d\n", n)
	}
}
