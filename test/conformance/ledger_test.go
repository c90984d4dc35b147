//go:build conformance

package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const payingTenant = `apiVersion: billing.dogker.io/v1alpha1
kind: PriceList
metadata: {name: %[1]s}
spec: {prices: {cpu: "150", memory: "37.5"}, taxNote: Prices include 11%% PPN.}
---
apiVersion: billing.dogker.io/v1alpha1
kind: Coupon
metadata: {name: %[1]s}
spec: {codeSHA256: %[2]s, amount: "50000", maxRedemptions: 1}
---
apiVersion: dogker.io/v1alpha1
kind: Plan
metadata: {name: %[1]s}
spec: {priceListName: %[1]s}
---
apiVersion: dogker.io/v1alpha1
kind: Tenant
metadata: {name: %[1]s}
spec:
  planName: %[1]s
  displayName: "=Some Ltd"
  members:
  - {kind: User, name: ada@%[1]s, roles: [owner]}
  - {kind: User, name: bill@%[1]s, roles: [billing]}
  - {kind: User, name: bob@%[1]s, roles: [developer]}
  - {kind: User, name: eve@%[1]s, roles: [viewer]}
`

// TestLedger: what happened to a tenant's money is read by whom its roles let, in every format, and written by nobody.
func TestLedger(t *testing.T) {
	k := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"kubectl"}}
	name := "books-" + k.namespace
	code := "GIFT-" + strings.ToUpper(k.namespace)
	hash := strings.TrimSpace(runDogker(t, 0, "coupon", "hash", code))
	k.do(fmt.Sprintf(payingTenant, name, hash), "apply", "-f", "-")
	k.namespace = name
	await(t, "the account is there", func() bool {
		_, _, code := k.run("", "get", "billingaccount", "default")

		return code == 0
	})
	k.do("", "patch", "billingaccount", "default", "--type=merge", "-p", `{"spec":{"couponCodes":["`+strings.ToLower(code)+`"]}}`)

	path := "/apis/billing.dogker.io/v1alpha1/namespaces/" + name + "/billingaccounts/default/ledger"
	await(t, "the gift is in the ledger", func() bool {
		out, _, code := k.run("", "get", "--raw", path)

		return code == 0 && strings.Contains(out, `"type":"Grant"`)
	})
	for query, words := range map[string][]string{
		"":              {`"closing":"50000.000000"`, `"key":"grant:` + name},
		"?format=csv":   {"seq,time,", "Grant", "50000.000000"},
		"?format=focus": {"BilledCost,", "'=Some Ltd", "Credit"},
		"?format=costs": {"day,tenant,"},
		"?verify=true":  {`"valid":true`, `"entries":1`, `"balance":"50000.000000"`},
	} {
		contains(t, "ledger"+query, k.do("", "get", "--raw", path+query), words...)
	}
	for query, words := range map[string][]string{
		"?format=xlsx": {"parameter format", `"xlsx"`, "json, csv, focus, costs"},
		"?month=13":    {"parameter month", `"13"`, "2026-11"},
	} {
		_, stderr, code := k.run("", "get", "--raw", path+query)
		if code == 0 {
			t.Errorf("%s was answered", query)
		}
		contains(t, "the refusal of "+query, stderr, words...)
	}

	t.Run("Rights", func(t *testing.T) { ledgerRights(t, k, name, path) })
	t.Run("Commands", func(t *testing.T) { ledgerCommands(t, k, name) })

	raw, err := os.ReadFile(filepath.Join(shared.dir, "audit", "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "audit log", string(raw), `"requestURI":"`+path, `"resource":"billingaccounts"`, `"subresource":"ledger"`)
}

// ledgerRights: owners and the billing role read, nobody else, and nobody writes, whatever he is.
func ledgerRights(t *testing.T, k *kubectl, name, path string) {
	for who, want := range map[string]bool{"ada": true, "bill": true, "bob": false, "eve": false} {
		await(t, who+" reads as the role says", func() bool {
			_, stderr, code := k.run("", "get", "--raw", path, "--as", who+"@"+name)

			return (code == 0) == want && (want || strings.Contains(stderr, "billingaccounts/ledger"))
		})
	}
	other := strings.Replace(path, name, "default", 1)
	if _, stderr, code := k.run("", "get", "--raw", other, "--as", "ada@"+name); code == 0 || !strings.Contains(stderr, "forbidden") {
		t.Errorf("another tenant's ledger: exit code %d, %s", code, stderr)
	}
	for _, args := range [][]string{{"create", "--raw", path, "-f", "-"}, {"replace", "--raw", path, "-f", "-"}, {"delete", "--raw", path}} {
		if _, stderr, code := k.run("{}", args...); code == 0 || !strings.Contains(stderr, "not allow") && !strings.Contains(stderr, "not supported") {
			t.Errorf("%s: exit code %d, %s", args[0], code, stderr)
		}
	}
}

// ledgerCommands: dogker ledger and dogker estimate against a real server.
func ledgerCommands(t *testing.T, k *kubectl, name string) {
	contains(t, "show", runDogker(t, 0, "ledger", "show", "-n", name), "Grant", "50000.000000", "closing balance 50000.000000")
	contains(t, "verify", runDogker(t, 0, "ledger", "verify", "-n", name), name, "holds")
	file := filepath.Join(t.TempDir(), "ledger.json")
	runDogker(t, 0, "ledger", "export", "-n", name, "--format", "json", "-o", file)
	data, err := os.ReadFile(file)
	if err != nil || !json.Valid(data) {
		t.Errorf("%v\n%s", err, data)
	}

	web := filepath.Join(t.TempDir(), "web.yaml")
	if err := os.WriteFile(web, []byte("apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\nspec: {image: a, resources: {requests: {cpu: 1, memory: 1Gi}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	contains(t, "estimate", runDogker(t, 0, "estimate", "-f", web, "-n", name), "187.500000", "135000.000000", "Prices include 11% PPN.")
	contains(t, "estimate by list", runDogker(t, 0, "estimate", "-f", web, "--price-list", name), "187.500000")
	runDogker(t, 1, "estimate", "-f", web, "--price-list", "no-such-list")
	runDogker(t, 2, "ledger", "verify", "-n", k.server.namespace(t))
}

// runDogker runs a command line of dogker as the administrator of the shared server.
func runDogker(t *testing.T, want int, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+shared.kubeconfig())
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != want {
		t.Errorf("dogker %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, stdout.String(), stderr.String())
	}

	return stdout.String()
}
