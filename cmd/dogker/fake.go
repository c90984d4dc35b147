package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	fakemidtrans "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/payment"
)

// fakeServerKey is the key of a fake that was not told another. It opens nothing.
const fakeServerKey = "SB-Mid-server-fake-for-trials"

const fakeMidtransHelp = `Be a Midtrans for trials, until SIGTERM or SIGINT.

It speaks enough of Snap's and the core API for Dogker, shows the page that a top-up leads to, and lets you press what a
payer, a bank or Midtrans would do: pay, fail, expire, doubt, take back. Notifications go to --notify, signed, and again
after 2, 10, 30, 90 and 210 minutes while they are not answered well, or after that many seconds with --hurry.

No money moves, and everything is forgotten when it stops. It has no business on a network that others can reach.`

const fakeMidtransExamples = `  # A fake beside a server that uses it
  dogker fake midtrans --listen 127.0.0.1:8090 --notify http://127.0.0.1:8081/midtrans/notification

  # All orders, with a link to the page of each
  xdg-open http://127.0.0.1:8090/

  # Payers bear a fee of 71 rupiah, and notifications are repeated soon
  dogker fake midtrans --listen 127.0.0.1:8090 --fee 71 --hurry`

// fakeMidtransOptions are the flags of dogker fake midtrans.
type fakeMidtransOptions struct {
	listen, notify, serverKey, merchantID string
	fee                                   int64
	hurry                                 bool
}

func newFakeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fake",
		Short: "Stand in for something outside, for trials",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newFakeMidtransCommand())

	return cmd
}

func newFakeMidtransCommand() *cobra.Command {
	var o fakeMidtransOptions

	cmd := &cobra.Command{
		Use:     "midtrans",
		Short:   "Be a Midtrans for trials, with a page to press \"pay\" on",
		Long:    fakeMidtransHelp,
		Example: fakeMidtransExamples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()

			return runFakeMidtrans(ctx, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}

	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8090", "ADDR:PORT of the API and the pages; port 0 for a free one")
	flags.StringVar(&o.notify, "notify", "", "URL that gets notifications; none are sent when not set")
	flags.StringVar(&o.serverKey, "server-key", fakeServerKey, "key that calls must carry and notifications are signed with")
	flags.StringVar(&o.merchantID, "merchant-id", "G000000000", "merchant that payments are made to")
	flags.Int64Var(&o.fee, "fee", 0, "rupiah that payers bear on top of an amount")
	flags.BoolVar(&o.hurry, "hurry", false, "repeat notifications after seconds instead of minutes")

	return cmd
}

func runFakeMidtrans(ctx context.Context, o fakeMidtransOptions, out, errOut io.Writer) error {
	options, err := o.server(slog.New(slog.NewTextHandler(errOut, nil)))
	if err != nil {
		return err
	}

	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}

	fake := fakemidtrans.New(options)
	defer fake.Close()

	server := &http.Server{Handler: fake, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()

	at := "http://" + listener.Addr().String()
	options.Log.InfoContext(ctx, "Being a Midtrans for trials", logkey.URL, at)

	if _, err := fmt.Fprintf(out, "Use it by:  --midtrans-base-url %[1]s --midtrans-snap-url %[1]s\nSee orders: %[1]s/\n", at); err != nil {
		return err
	}

	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the fake Midtrans: %w", err)
	}

	return nil
}

// server is what the flags say, checked.
func (o fakeMidtransOptions) server(log *slog.Logger) (fakemidtrans.Options, error) {
	key, err := payment.NewServerKey(o.serverKey)
	if err != nil {
		return fakemidtrans.Options{}, fmt.Errorf("--server-key: %w", err)
	}

	if u, err := url.Parse(o.notify); o.notify != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return fakemidtrans.Options{}, fmt.Errorf("--notify: %q must be a URL, such as http://127.0.0.1:8081/midtrans/notification", o.notify)
	}

	if o.fee < 0 || o.fee > int64(payment.MaxAmount) {
		return fakemidtrans.Options{}, fmt.Errorf("--fee: %d must be 0 to %d", o.fee, payment.MaxAmount)
	}

	options := fakemidtrans.Options{Key: key, MerchantID: o.merchantID, NotifyURL: o.notify, Fee: payment.IDR(o.fee), Log: log}
	if o.hurry {
		options.Pauses = []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second, 90 * time.Second, 210 * time.Second}
	}

	return options, nil
}
