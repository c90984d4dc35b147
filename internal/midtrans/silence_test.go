package midtrans

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	fake "github.com/dogker/dogker/internal/fake/midtrans"
)

// TestNothingIsPrinted: the module's default logger prints the Authorization header of every call to the sandbox. Whatever
// is called, and however it ends, nothing goes to the terminal.
func TestNothingIsPrinted(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}

	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = write, write

	printed := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(read)
		printed <- string(text)
	}()

	var errs []error

	for op, call := range calls {
		b := newBench(t, fake.Options{})
		b.fake.Script(op, fake.Code(400, "key "+secret), fake.HTML(502), fake.Drop())

		for range 4 {
			errs = append(errs, call(t.Context(), b))
		}
	}

	os.Stdout, os.Stderr = stdout, stderr

	if err := write.Close(); err != nil {
		t.Fatal(err)
	}

	// Servers of the net/http package say on the terminal when a handler aborts; this one's aborts are silent.
	if text := <-printed; text != "" {
		t.Errorf("printed:\n%s", text)
	}

	if text := fmt.Sprintf("%v %+v %#v %q", errs, errs, errs, errs); strings.Contains(text, "TOPsecret") {
		t.Errorf("errors hold the key: %s", text)
	}
}

// TestGatewayPrintsNoKey: however a gateway or its settings are printed.
func TestGatewayPrintsNoKey(t *testing.T) {
	b := newBench(t, fake.Options{})
	if text := fmt.Sprintf("%v %+v %#v", b.Gateway, b.Gateway, *b.Gateway); strings.Contains(text, "TOPsecret") {
		t.Errorf("it prints as %s", text)
	}
}

// TestModuleIsHeldAtArmsLength: none of the module's globals, default clients, loggers and constructors is used. They are
// shared by the whole process, log the key, and drop contexts.
func TestModuleIsHeldAtArmsLength(t *testing.T) {
	allowed := regexp.MustCompile(`^(sdk\.(Error|ConfigOptions|HttpClient|Production)|snap\.(Client|RequestParamWithMap)|coreapi\.(Client|RefundReq|ChargeResponse))$`)
	used := regexp.MustCompile(`\b(?:sdk|snap|coreapi)\.[A-Z]\w*`)

	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}

	for _, f := range names {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}

		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}

		for _, name := range used.FindAllString(string(text), -1) {
			if !allowed.MatchString(name) {
				t.Errorf("%s uses %s", f.Name(), name)
			}
		}
	}
}
