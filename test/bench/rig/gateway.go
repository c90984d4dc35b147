package rig

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/internal/midtrans/webhook"
	"github.com/dogker/dogker/reconciler/payment"
)

// gatewayKey opens the payment gateway. No money moves there.
const gatewayKey = "SB-Mid-server-bench-5d0c2f81a7e64b"

// Gateway is a payment gateway that lives in the benchmark, and tells the server at once of what was paid.
type Gateway struct {
	*midtrans.Server

	// Flags are those by which a server uses it.
	Flags []string

	http *http.Server
}

// StartGateway starts a gateway, whose key is written to the directory. The caller must call Close.
func StartGateway(dir string) (*Gateway, error) {
	key, err := payment.NewServerKey(gatewayKey)
	if err != nil {
		return nil, err
	}
	keyFile := filepath.Join(dir, "server-key")
	if err := os.WriteFile(keyFile, []byte(gatewayKey+"\n"), 0o600); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start gateway: %w", err)
	}

	hook, url := "127.0.0.1:"+port, "http://"+listener.Addr().String()
	g := &Gateway{
		Server: midtrans.New(midtrans.Options{Key: key, NotifyURL: "http://" + hook + webhook.Path}),
		Flags: []string{
			"--midtrans-server-key-file", keyFile, "--midtrans-base-url", url, "--midtrans-snap-url", url, "--midtrans-webhook-listen", hook,
		},
	}
	g.http = &http.Server{Handler: g.Server, ReadHeaderTimeout: time.Minute}
	go func() { _ = g.http.Serve(listener) }()

	return g, nil
}

// Close ends it.
func (g *Gateway) Close() error {
	g.Server.Close()
	if err := g.http.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("stop gateway: %w", err)
	}

	return nil
}
