package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/controlplane/books"
	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/book"
)

// readable answers as the API server does, with the ledger of acme, and knows what it was asked.
type readable struct {
	t     *testing.T
	asked []string
	// breaks ends answers before their end.
	breaks bool
}

// ServeHTTP implements http.Handler.
func (s *readable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.URL.RequestURI())
	switch {
	case r.URL.Path == "/apis/billing.dogker.io/v1alpha1/billingaccounts":
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"apiVersion":"billing.dogker.io/v1alpha1","kind":"BillingAccountList","items":[`+
			`{"metadata":{"namespace":"acme","name":"default"}},{"metadata":{"namespace":"bad","name":"default"}},{"metadata":{"namespace":"gone","name":"default"}}]}`)
	case r.URL.Path == "/apis" || r.URL.Path == "/api" || strings.Count(r.URL.Path, "/") == 3:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"billing.dogker.io/v1alpha1","resources":[{"name":"billingaccounts","namespaced":true,"kind":"BillingAccount","verbs":["list"]}]}`)
	case r.URL.Query().Get("verify") == "true":
		s.verification(w, strings.Split(r.URL.Path, "/")[5])
	default:
		s.export(w, r.URL.Query().Get("format"))
	}
}

func (s *readable) verification(w http.ResponseWriter, tenant string) {
	w.Header().Set("Content-Type", "application/json")
	switch tenant {
	case "acme":
		fmt.Fprint(w, `{"tenant":"acme","valid":true,"lastSequence":1912,"hash":"5d0c","balance":"167795.687500","entries":732,"records":720}`)
	case "bad":
		fmt.Fprint(w, `{"tenant":"bad","valid":false,"message":"verify the ledger of \"bad\": entry 7 does not match its hash: the ledger is broken"}`)
	default:
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"the ledger was archived meanwhile","reason":"ServiceUnavailable","code":503}`)
	}
}

func (s *readable) export(w http.ResponseWriter, format string) {
	state := book.State{Head: book.NewHead("acme")}
	out, err := book.Apply(state, book.TopUp{Order: "dk-3fa2b1-01jbq8", Transaction: "t1", Amount: 200_000_000_000}, nil, time.Date(2026, 11, 2, 3, 10, 41, 0, time.UTC))
	if err != nil {
		s.t.Error(err)
	}
	items := func(yield func(book.Item, error) bool) { yield(book.Item{Entry: out.Entries[0]}, nil) }
	switch books.Format(format) {
	case books.FormatJSON:
		err = ledger.WriteJSON(w, "acme", 0, items, 0, 1<<40)
	case books.FormatCosts:
		err = ledger.WriteCosts(w, "acme", 7, items, 0, 1<<40)
	default:
		err = ledger.WriteCSV(w, 0, items, 0, 1<<40)
	}
	if err != nil {
		s.t.Error(err)
	}
	if s.breaks {
		panic(http.ErrAbortHandler)
	}
}

// serveLedgers starts the server, and makes a kubeconfig for it the one that commands use.
func serveLedgers(t *testing.T) *readable {
	t.Helper()
	s := &readable{t: t}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"c","clusters":[{"name":"c","cluster":{"server":%q}}],`+
		`"contexts":[{"name":"c","context":{"cluster":"c","namespace":"acme"}}]}`, server.URL)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)

	return s
}

// run runs a command line, and returns what it prints.
func run(stdin string, args ...string) (string, error) {
	cmd := newRootCommand()
	var out bytes.Buffer
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.Execute()

	return out.String(), err
}

func TestLedgerShow(t *testing.T) {
	s := serveLedgers(t)
	out, err := run("", "ledger", "show", "--month", "2026-11")
	if err != nil {
		t.Fatal(err)
	}
	want := `SEQ   TIME                   TYPE    AMOUNT          BALANCE         ABOUT
1     2026-11-02T03:10:41Z   TopUp   200000.000000   200000.000000   order dk-3fa2b1-01jbq8

Opening balance 0.000000, closing balance 200000.000000
`
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	asked := "/apis/billing.dogker.io/v1alpha1/namespaces/acme/billingaccounts/default/ledger?format=json&month=2026-11"
	if diff := cmp.Diff([]string{asked}, s.asked); diff != "" {
		t.Errorf("asked: %s", diff)
	}
	if out, err := run("", "ledger", "costs", "-n", "other"); err != nil || !strings.Contains(out, "Total") || !strings.Contains(s.asked[1], "/namespaces/other/") {
		t.Errorf("%q, %v, asked %s", out, err, s.asked[1])
	}
}

// TestLedgerArchives: what is in files is verified without a server, and the exit code says what came of it.
func TestLedgerArchives(t *testing.T) {
	dir := t.TempDir()
	out, err := book.Apply(book.State{Head: book.NewHead("acme")}, book.TopUp{Order: "dk-3fa2b1-01jbq8", Transaction: "t1", Amount: 200_000_000_000}, nil,
		time.Date(2026, 11, 2, 3, 10, 41, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	entry := string(out.Entries[0].Encode())
	replay := book.NewReplay(book.NewHead("acme"))
	if _, err := replay.Next([]byte(entry)); err != nil {
		t.Fatal(err)
	}
	sound := fmt.Sprintf("A {\"format\":\"dogker-ledger-archive/1\",\"tenant\":\"acme\",\"head\":%s}\nE %s\nZ {\"head\":%s,\"period\":{},\"entries\":1}\n",
		book.NewHead("acme").Encode(), entry, replay.Head().Encode())
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, bad := write("good.ledger", sound), write("bad.ledger", strings.Replace(sound, "dk-3fa2b1", "dk-3fa2b2", 1))

	got, err := run("", "ledger", "archives", good)
	_, line, _ := strings.Cut(got, "\n")
	if f := strings.Fields(line); err != nil || len(f) != 8 || len(f[6]) != 64 || strings.Join(append(f[:6:6], f[7]), " ") != "acme holds 1 1 1 200000.000000 "+good {
		t.Errorf("got %v and\n%s", err, got)
	}
	for _, c := range []struct {
		files []string
		code  int
		says  string
	}{
		{[]string{good, bad}, exitBroken, bad + ": read archive: line 2: "},
		{[]string{good, filepath.Join(dir, "none.ledger")}, exitUnverified, "none.ledger: no such file or directory"},
	} {
		got, err := run("", append([]string{"ledger", "archives"}, c.files...)...)
		var exit *exitError
		if !errors.As(err, &exit) || exit.code != c.code || !strings.Contains(got, c.says) || !strings.Contains(got, "holds") {
			t.Errorf("%v: %v, want code %d and %q\n%s", c.files, err, c.code, c.says, got)
		}
	}
	if _, err := run("", "ledger", "archives"); err == nil {
		t.Error("no file is not refused")
	}
}

// TestLedgerExport: half a file is none.
func TestLedgerExport(t *testing.T) {
	s := serveLedgers(t)
	path := filepath.Join(t.TempDir(), "acme.csv")
	out, err := run("", "ledger", "export", "--from", "2026-11-01T00:00:00Z", "-o", path)
	data, readErr := os.ReadFile(path)
	if err != nil || readErr != nil || out != "" || !strings.HasPrefix(string(data), "seq,time,") {
		t.Fatalf("%q, %v, %v\n%s", out, err, readErr, data)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	if out, err := run("", "ledger", "export"); err != nil || out != string(data) {
		t.Errorf("to standard output: %v\n%s", err, out)
	}

	s.breaks = true
	before := string(data)
	if _, err := run("", "ledger", "export", "-o", path); err == nil {
		t.Error("an export that broke off is whole")
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != before {
		t.Errorf("it took the place of the one before: %v\n%s", err, data)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
	for _, args := range [][]string{{"--format", "xlsx"}, {"--month", "2026-11", "--to", "2026-12-01T00:00:00Z"}, {"more"}} {
		if out, err := run("", append([]string{"ledger", "export"}, args...)...); err == nil {
			t.Errorf("%v: %s", args, out)
		}
	}
}

// TestLedgerVerify: one that fails does not hide the others, and scripts can tell a break from a doubt.
func TestLedgerVerify(t *testing.T) {
	serveLedgers(t)
	out, err := run("", "ledger", "verify", "-A")
	want := `TENANT   RESULT    ENTRIES   RECORDS   LAST   BALANCE         HASH
acme     holds     732       720       1912   167795.687500   5d0c
bad      BROKEN                                               
gone     unknown                                              

verify the ledger of "bad": entry 7 does not match its hash: the ledger is broken

read the ledger of "gone": the ledger was archived meanwhile
`
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if exitCodeOf(err) != exitBroken {
		t.Errorf("got %v", err)
	}
	if out, err := run("", "ledger", "verify"); err != nil || !strings.Contains(out, "holds") {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := run("", "ledger", "verify", "-n", "gone"); exitCodeOf(err) != exitUnverified {
		t.Errorf("got %v", err)
	}
	broken := func(string) (books.Verification, error) { return books.Verification{}, errors.New("boom") }
	if err := verifyAll([]string{"a"}, &bytes.Buffer{}, broken); exitCodeOf(err) != exitUnverified {
		t.Errorf("got %v", err)
	}
}

func TestCoupons(t *testing.T) {
	// printf %s WELCOME-2027 | sha256sum
	const hash = "6af2c35ff54a39c18e2c1f59387200262077d02dea6356df8e13e2be947d8bbd\n"
	for _, line := range []string{"WELCOME-2027", "welcome-2027"} {
		one, err1 := run("", "coupon", "hash", line)
		two, err2 := run(line+"\r\n", "coupon", "hash", "-")
		if err1 != nil || err2 != nil || one != two || one != hash {
			t.Errorf("%q, %v; %q, %v", one, err1, two, err2)
		}
	}
	for _, bad := range []string{"abc", "-abcd", "a b c d", "", "code!", strings.Repeat("a", 65), "ÄÖÜß"} {
		if out, err := run("", "coupon", "hash", "--", bad); err == nil {
			t.Errorf("%q has the hash %s", bad, out)
		}
	}

	out, err := run("", "coupon", "generate", "--count", "50")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err != nil || len(lines) != 50 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	seen := map[string]bool{}
	for _, line := range lines {
		code, hash, _ := strings.Cut(line, " ")
		if again, err := run("", "coupon", "hash", code); err != nil || strings.TrimSpace(again) != hash || seen[code] || len(code) != 19 {
			t.Errorf("%q: %v, %s", line, err, again)
		}
		seen[code] = true
	}
	if _, err := run("", "coupon", "generate", "--count", "0"); err == nil {
		t.Error("no coupons were made")
	}
	if _, err := generateCoupon(strings.NewReader("short")); err == nil {
		t.Error("a code was made without entropy")
	}
	if code, err := generateCoupon(bytes.NewReader(bytes.Repeat([]byte{0, 31, 32, 255}, 4))); err != nil || code != "2Z2Z-2Z2Z-2Z2Z-2Z2Z" {
		t.Errorf("%q, %v", code, err)
	}
}

func TestEstimateOffline(t *testing.T) {
	dir := t.TempDir()
	prices, shop := filepath.Join(dir, "prices.yaml"), filepath.Join(dir, "shop.yaml")
	for path, text := range map[string]string{
		prices: "apiVersion: billing.dogker.io/v1alpha1\nkind: PriceList\nmetadata: {name: standard}\nspec: {prices: {cpu: \"150\", memory: \"37.5\"}}\n",
		shop:   "apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\nspec: {image: a, replicas: 2, resources: {requests: {cpu: 250m, memory: 128Mi}}}\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// No server is asked: there is none.
	t.Setenv("KUBECONFIG", filepath.Join(dir, "none"))
	out, err := run("", "estimate", "-f", shop, "--prices", prices)
	want := `NAME    TASKS   CPU    MEMORY   STORAGE   RP/HOUR     RP/DAY        RP/30 DAYS     NOTE
web     2       250m   128Mi    -         84.375000   2025.000000   60750.000000   
Total                                     84.375000   2025.000000   60750.000000   

Prices of "standard", for what each task sets aside while it runs, and for the size of each Volume.
`
	if diff := cmp.Diff(want, out); err != nil || diff != "" {
		t.Errorf("%v: -want +got\n%s", err, diff)
	}
	yaml, err := os.ReadFile(shop)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := run(string(yaml), "estimate", "-f", "-", "--prices", prices); err != nil || again != out {
		t.Errorf("from standard input: %v\n%s", err, again)
	}
	for _, args := range [][]string{
		{"-f", prices, "--prices", prices}, {"-f", shop, "--prices", shop}, {"-f", shop, "--prices", prices, "--price-list", "a"},
		{"-f", shop, "--prices", prices, "--nodes", "0"}, {"-f", filepath.Join(dir, "missing"), "--prices", prices}, {},
	} {
		if out, err := run("", append([]string{"estimate"}, args...)...); err == nil {
			t.Errorf("%v: %s", args, out)
		}
	}
}
