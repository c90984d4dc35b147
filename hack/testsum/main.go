package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	totalsFile := flag.String("totals", "", "append the numbers to this file")
	sumFile := flag.String("sum", "", "add up the numbers in this file")
	flag.Parse()

	switch err := run(*totalsFile, *sumFile); {
	case errors.Is(err, errFailed):
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(2)
	}
}

var errFailed = errors.New("tests failed")

func run(totalsFile, sumFile string) error {
	var (
		t   totals
		err error
	)

	if sumFile != "" {
		t, err = readTotals(sumFile)
	} else {
		t, err = summarise(os.Stdin, os.Stdout)
	}
	if err != nil {
		return err
	}

	if totalsFile != "" {
		if err := t.append(totalsFile); err != nil {
			return err
		}
	} else {
		fmt.Println(t)
	}

	if t.failed > 0 {
		return errFailed
	}

	return nil
}

// totals are numbers of tests.
type totals struct{ passed, failed, skipped int }

// String is the last line of a run.
func (t totals) String() string {
	if t.skipped > 0 {
		return fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, t.failed, t.skipped)
	}

	return fmt.Sprintf("%d passed, %d failed", t.passed, t.failed)
}

func (t totals) append(file string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write totals: %w", err)
	}

	_, err = fmt.Fprintln(f, t.passed, t.failed, t.skipped)

	return errors.Join(err, f.Close())
}

func readTotals(file string) (totals, error) {
	f, err := os.Open(file)
	if err != nil {
		return totals{}, fmt.Errorf("read totals: %w", err)
	}
	defer f.Close()

	var sum totals
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var t totals
		if _, err := fmt.Sscan(lines.Text(), &t.passed, &t.failed, &t.skipped); err != nil {
			return totals{}, fmt.Errorf("read totals: line %q: %w", lines.Text(), err)
		}

		sum.passed += t.passed
		sum.failed += t.failed
		sum.skipped += t.skipped
	}

	return sum, nil
}

// summarise reads events until the end.
func summarise(in io.Reader, out io.Writer) (totals, error) {
	p := newPrinter(out)
	d := json.NewDecoder(in)

	for {
		var e event

		err := d.Decode(&e)
		if errors.Is(err, io.EOF) {
			return p.close(), nil
		}
		if err != nil {
			return totals{}, fmt.Errorf("read events: %w", err)
		}

		p.take(e)
	}
}
