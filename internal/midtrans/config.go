package midtrans

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/dogker/dogker/reconciler/payment"
)

// The addresses of Midtrans' two environments. Each has its own keys.
const (
	productionURL     = "https://api.midtrans.com"
	productionSnapURL = "https://app.midtrans.com"
	sandboxURL        = "https://api.sandbox.midtrans.com"
	sandboxSnapURL    = "https://app.sandbox.midtrans.com"
)

// Config says which Midtrans to use, and as whom.
type Config struct {
	// Key is sent with every call.
	Key payment.ServerKey
	// Sandbox chooses the environment where no money moves.
	Sandbox bool
	// BaseURL and SnapURL replace the environment's addresses, for trials with a fake. The paths of the API are added to
	// them. Plain HTTP is for the loopback interface only: the key is in every request.
	BaseURL, SnapURL string
	// Version of Dogker, for the User-Agent.
	Version string
	// Log gets what happens; nowhere when nil.
	Log *slog.Logger
	// Transport carries the requests; one of our own when nil.
	Transport http.RoundTripper
}

// endpoints are the addresses to use, checked.
func (c Config) endpoints() (core, snap *url.URL, err error) {
	base, pages := productionURL, productionSnapURL
	if c.Sandbox {
		base, pages = sandboxURL, sandboxSnapURL
	}

	core, err = endpoint("--midtrans-base-url", orDefault(c.BaseURL, base))
	if err != nil {
		return nil, nil, err
	}

	snap, err = endpoint("--midtrans-snap-url", orDefault(c.SnapURL, pages))

	return core, snap, err
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}

	return text
}

func endpoint(flag, text string) (*url.URL, error) {
	u, err := url.Parse(text)

	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %q is not a URL", flag, text)
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s: must be a URL with a host and without credentials, query and fragment, such as %s", flag, productionURL)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("%s: %q must be https; only the loopback interface is reached in plain HTTP", flag, text)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%s: %q must be https", flag, text)
	}

	u.Path = strings.TrimRight(u.Path, "/")

	return u, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}

	addr, err := netip.ParseAddr(host)

	return err == nil && addr.IsLoopback()
}

// Warnings say what looks wrong and may be right, for the log of a start.
func (c Config) Warnings() []string {
	core, _, err := c.endpoints()
	if err != nil || c.Key.IsZero() {
		return nil
	}

	switch host := core.Hostname(); {
	case host == hostOf(productionURL) && c.Key.Sandbox():
		return []string{"The server key looks like one of Midtrans' sandbox, and production is configured"}
	case host == hostOf(sandboxURL) && !c.Key.Sandbox():
		return []string{"The server key does not look like one of Midtrans' sandbox, and the sandbox is configured"}
	default:
		return nil
	}
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}

	return u.Hostname()
}

// validate reports everything that is wrong at once.
func (c Config) validate() error {
	var errs []error

	if c.Key.IsZero() {
		errs = append(errs, errors.New("--midtrans-server-key-file: must name a file with the server key"))
	}

	if _, _, err := c.endpoints(); err != nil {
		errs = append(errs, err)
	}

	return errors.Join(errs...)
}
