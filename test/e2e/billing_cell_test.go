//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/internal/midtrans/webhook"
	"github.com/dogker/dogker/reconciler/payment"
)

// serverKey opens the fake gateway. It must be nowhere but in its file.
const serverKey = "SB-Mid-server-e2e-3b9f1c77d0a24e"

// bank is a payment gateway beside a cell: the fake, on a port of its own.
type bank struct {
	*midtrans.Server

	http *httptest.Server
}

// newBank makes a gateway that sends its notifications to a webhook, or to nobody when there is none.
func newBank(webhook string) (*bank, error) {
	key, err := payment.NewServerKey(serverKey)
	if err != nil {
		return nil, err
	}
	b := &bank{Server: midtrans.New(midtrans.Options{Key: key, NotifyURL: webhook})}
	b.http = httptest.NewServer(b.Server)

	return b, nil
}

func (b *bank) close() {
	b.Server.Close()
	b.http.Close()
}

// billingCell is a cell whose server takes payments.
type billingCell struct {
	*cell

	bank *bank
	// webhook is the URL of notifications.
	webhook string
	// notices are what tenants were told.
	notices *mailbox
}

// billingIn prepares a cell with a gateway. A silent one sends no notifications.
func billingIn(l *lab.Lab, silent bool, serverArgs ...string) (*billingCell, error) {
	hook, err := freeAddress()
	if err != nil {
		return nil, err
	}
	c, err := cellIn(l, serverArgs...)
	if err != nil {
		return nil, err
	}
	b := &billingCell{cell: c, webhook: "http://" + hook + webhook.Path, notices: newMailbox()}
	to := b.webhook
	if silent {
		to = ""
	}
	if b.bank, err = newBank(to); err != nil {
		return nil, err
	}

	keyFile, secretFile := filepath.Join(c.dir, "server-key"), filepath.Join(c.dir, "notice-secret")
	c.server.args = append(c.server.args,
		"--midtrans-server-key-file", keyFile, "--midtrans-base-url", b.bank.http.URL, "--midtrans-snap-url", b.bank.http.URL,
		"--midtrans-webhook-listen", hook,
		"--notice-webhook-url", b.notices.http.URL, "--notice-webhook-secret-file", secretFile,
	)

	return b, errors.Join(
		os.WriteFile(keyFile, []byte(serverKey+"\n"), 0o600), os.WriteFile(secretFile, []byte(noticeSecret+"\n"), 0o600),
	)
}

func (b *billingCell) close(failed bool) error {
	b.bank.close()
	b.notices.http.Close()

	return b.cell.close(failed)
}

// newBillingCell gives a test a cell with a gateway of its own, whose server runs.
func newBillingCell(t *testing.T, silent bool, serverArgs ...string) *billingCell {
	t.Helper()

	return ownBillingCell(t, lab.Start(t, lab.Options{}), silent, serverArgs...)
}

// ownBillingCell is the same in a lab that is there.
func ownBillingCell(t *testing.T, l *lab.Lab, silent bool, serverArgs ...string) *billingCell {
	t.Helper()

	b, err := billingIn(l, silent, serverArgs...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(t.Failed()); err != nil {
			t.Errorf("close cell: %v", err)
		}
	})
	if err := b.start(t.Context()); err != nil {
		t.Fatal(err)
	}

	return b
}

// commonBilling is the cell that most tests of billing share. It is made when the first of them asks for it.
var commonBilling struct {
	once sync.Once
	lab  *lab.Lab
	cell *billingCell
	err  error
}

func sharedBillingCell(t *testing.T) *billingCell {
	t.Helper()

	common := &commonBilling
	common.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()

		if common.lab, common.err = lab.Up(ctx, lab.Options{}); common.err != nil {
			return
		}
		if common.cell, common.err = billingIn(common.lab, false); common.err != nil {
			return
		}
		common.err = common.cell.start(ctx)
	})
	if common.err != nil {
		t.Fatalf("start the common cell of billing: %v", common.err)
	}

	return common.cell
}

func closeCommonBilling(failed bool) error {
	var errs []error
	if commonBilling.cell != nil {
		errs = append(errs, commonBilling.cell.close(failed))
	}
	if commonBilling.lab != nil {
		if failed {
			fmt.Fprintf(os.Stderr, "the logs of the engine are kept in %s\n", commonBilling.lab.KeepLogs("billing"))
		}
		errs = append(errs, commonBilling.lab.Down())
	}

	return errors.Join(errs...)
}

// freeAddress is one of loopback that was free a moment ago.
func freeAddress() (string, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer free.Close()

	return free.Addr().String(), nil
}
