package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/dogker/dogker/internal/midtrans"
	"github.com/dogker/dogker/internal/midtrans/webhook"
	"github.com/dogker/dogker/internal/throttle"
	"github.com/dogker/dogker/reconciler/payment"
)

// billingFlags are those about money. Charging needs none of them: it is on for every tenant whose plan has prices.
type billingFlags struct {
	keyFile, baseURL, snapURL, merchantID string
	sandbox                               bool

	listen, certFile, certKeyFile string
	trustedProxies                []string

	notices    noticeFlags
	archiveDir string
}

func (f *billingFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.keyFile, "midtrans-server-key-file", "", "file with the server key by which payments are taken through Midtrans, and in a second line the one before or after it while keys are changed; no payments are taken without")
	flags.BoolVar(&f.sandbox, "midtrans-sandbox", false, "use Midtrans' sandbox, where no money moves")
	flags.StringVar(&f.baseURL, "midtrans-base-url", "", "`URL` of Midtrans' API, in place of its own; for trials with dogker fake midtrans")
	flags.StringVar(&f.snapURL, "midtrans-snap-url", "", "`URL` of Midtrans' payment pages, likewise")
	flags.StringVar(&f.merchantID, "midtrans-merchant-id", "", "merchant that payments must be made to; not checked when not set")
	flags.StringVar(&f.listen, "midtrans-webhook-listen", "", "`ADDR:PORT` at which Midtrans' notifications are received, at "+webhook.Path+"; without, payments are noticed by asking, which takes minutes")
	flags.StringVar(&f.certFile, "midtrans-webhook-tls-cert-file", "", "certificate of that port; plain HTTP, for a proxy in front, when not set")
	flags.StringVar(&f.certKeyFile, "midtrans-webhook-tls-key-file", "", "key of --midtrans-webhook-tls-cert-file")
	flags.StringSliceVar(&f.trustedProxies, "midtrans-webhook-trusted-proxies", nil, "addresses or ranges of proxies whose X-Forwarded-For is believed")
	f.notices.add(flags)
	flags.StringVar(&f.archiveDir, "ledger-archive-dir", "", "directory that closed months of ledgers are archived to, and then taken out of the store; all is kept in the store when not set")
}

// billingParts are what the flags about money come to, checked.
type billingParts struct {
	keys       []payment.ServerKey
	gateway    payment.Gateway
	merchantID string
	// listener of notifications; nil for none.
	listener net.Listener
	proxies  throttle.Proxies

	// notices are how people are told, of money and of everything else.
	notices    *noticeParts
	archiveDir string
}

// resolve checks the flags and opens what they name, so that a server that cannot work does not start.
func (f *billingFlags) resolve(log *slog.Logger, reg prometheus.Registerer) (billingParts, error) {
	m := billingParts{merchantID: f.merchantID, archiveDir: f.archiveDir}
	for _, step := range []func(*billingParts) error{
		func(m *billingParts) error { return f.gateway(m, log, reg) }, f.webhook, f.tell, f.archive,
	} {
		if err := step(&m); err != nil {
			return billingParts{}, err
		}
	}

	return m, nil
}

// given is a flag, and whether it is set.
type given struct {
	flag string
	set  bool
}

// refuseWithout names the first flag that is set and does nothing without another.
func refuseWithout(needed string, flags []given) error {
	for _, g := range flags {
		if g.set {
			return fmt.Errorf("%s needs %s", g.flag, needed)
		}
	}

	return nil
}

func (f *billingFlags) gateway(m *billingParts, log *slog.Logger, reg prometheus.Registerer) error {
	if f.keyFile == "" {
		return refuseWithout("--midtrans-server-key-file", []given{
			{"--midtrans-sandbox", f.sandbox}, {"--midtrans-base-url", f.baseURL != ""}, {"--midtrans-snap-url", f.snapURL != ""},
			{"--midtrans-merchant-id", f.merchantID != ""}, {"--midtrans-webhook-listen", f.listen != ""},
		})
	}
	var err error
	if m.keys, err = midtrans.ReadKeys(f.keyFile); err != nil {
		return fmt.Errorf("--midtrans-server-key-file: %w", err)
	}
	cfg := midtrans.Config{
		Key: m.keys[0], Sandbox: f.sandbox, BaseURL: f.baseURL, SnapURL: f.snapURL, Version: version, Log: log,
	}
	for _, warning := range cfg.Warnings() {
		log.Warn(warning)
	}
	gateway, err := midtrans.New(cfg, reg)
	if err != nil {
		return err
	}
	m.gateway = gateway

	return nil
}

func (f *billingFlags) webhook(m *billingParts) error {
	if f.listen == "" {
		return refuseWithout("--midtrans-webhook-listen", []given{
			{"--midtrans-webhook-tls-cert-file", f.certFile != ""}, {"--midtrans-webhook-tls-key-file", f.certKeyFile != ""},
			{"--midtrans-webhook-trusted-proxies", len(f.trustedProxies) > 0},
		})
	}
	host, port, err := net.SplitHostPort(f.listen)
	if err != nil {
		return fmt.Errorf("--midtrans-webhook-listen %q must be ADDR:PORT, such as 127.0.0.1:8081", f.listen)
	}
	if host != "" && net.ParseIP(host) == nil {
		return fmt.Errorf("--midtrans-webhook-listen %q: %q must be an IP address", f.listen, host)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("--midtrans-webhook-listen %q: %q must be a port from 0 to 65535", f.listen, port)
	}
	if m.proxies, err = throttle.ParseProxies(f.trustedProxies); err != nil {
		return fmt.Errorf("--midtrans-webhook-trusted-proxies: %w", err)
	}
	certificate, err := f.certificate()
	if err != nil {
		return err
	}
	if m.listener, err = net.Listen("tcp", f.listen); err != nil {
		return fmt.Errorf("--midtrans-webhook-listen: %w", err)
	}
	if certificate != nil {
		m.listener = tls.NewListener(m.listener, certificate)
	}

	return nil
}

// certificate reads the files anew for each connection: whoever renews certificates replaces them. They are read once at the
// start as well, so that what is wrong is found then.
func (f *billingFlags) certificate() (*tls.Config, error) {
	if (f.certFile == "") != (f.certKeyFile == "") {
		return nil, errors.New("--midtrans-webhook-tls-cert-file and --midtrans-webhook-tls-key-file need each other")
	}
	if f.certFile == "" {
		return nil, nil
	}
	load := func() (*tls.Certificate, error) {
		cert, err := tls.LoadX509KeyPair(f.certFile, f.certKeyFile)
		if err != nil {
			return nil, fmt.Errorf("--midtrans-webhook-tls-cert-file: %w", err)
		}
		return &cert, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}

	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return load() },
	}, nil
}

func (f *billingFlags) tell(m *billingParts) error {
	var err error
	m.notices, err = f.notices.resolve()

	return err
}

func (f *billingFlags) archive(*billingParts) error {
	if f.archiveDir == "" {
		return nil
	}
	// Months would pass until a directory was found to be missing.
	if info, err := os.Stat(f.archiveDir); err != nil {
		return fmt.Errorf("--ledger-archive-dir: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("--ledger-archive-dir: %q must be a directory", f.archiveDir)
	}

	return nil
}
