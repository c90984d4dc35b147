package registry

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// Config is the content of the registries file: what the operator says about registries that are not reached by TLS
// with a certificate of a public authority. A registry that is not named needs nothing said.
type Config struct {
	// Registries that need something said.
	Registries []Host `json:"registries"`
}

// Host is one registry. There is no field that turns the verification of certificates off: a registry whose certificate
// cannot be verified is named with its caFile, or honestly as plainHTTP.
type Host struct {
	// Host as it stands in image references, with its port if it has one there.
	Host string `json:"host"`
	// PlainHTTP reaches it without TLS. Registries on the loopback interface are reached so without being named, as
	// the engine does it.
	PlainHTTP bool `json:"plainHTTP,omitempty"`
	// CAFile holds certificates of authorities in PEM that are trusted for it besides those of the system. A relative
	// path is relative to the registries file.
	CAFile string `json:"caFile,omitempty"`
}

// LoadConfig reads and checks a registries file. Unknown fields are refused.
func LoadConfig(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read registries file: %w", err)
	}

	var cfg Config
	if err := yaml.UnmarshalStrict(data, &cfg); err != nil {
		return Config{}, fmt.Errorf("parse registries file %q: %w", path, err)
	}

	for i, h := range cfg.Registries {
		if h.CAFile != "" && !filepath.IsAbs(h.CAFile) {
			cfg.Registries[i].CAFile = filepath.Join(filepath.Dir(path), h.CAFile)
		}
	}

	if err := cfg.validate(); err != nil {
		return Config{}, fmt.Errorf("check registries file %q: %w", path, err)
	}

	return cfg, nil
}

// validate reports everything that is wrong at once, each with its path and value.
func (c Config) validate() error {
	var errs []error

	seen := make(map[string]bool, len(c.Registries))
	for i, h := range c.Registries {
		path := fmt.Sprintf("registries[%d]", i)
		host := canonicalHost(h.Host)

		switch {
		case h.Host == "":
			errs = append(errs, fmt.Errorf("%s.host: must be set", path))
		case strings.ContainsAny(h.Host, "/*?@ "):
			errs = append(errs, fmt.Errorf("%s.host: %q must be a host as in image references, such as registry.example:5000", path, h.Host))
		case seen[host]:
			errs = append(errs, fmt.Errorf("%s.host: %q is named twice", path, h.Host))
		}

		switch {
		case h.PlainHTTP && h.CAFile != "":
			errs = append(errs, fmt.Errorf("%s: plainHTTP and caFile exclude each other", path))
		case h.PlainHTTP && host == dockerHub:
			errs = append(errs, fmt.Errorf("%s.plainHTTP: %q is only reached by TLS", path, h.Host))
		}

		seen[host] = true
	}

	return errors.Join(errs...)
}

// authorities is the system's pool together with the certificates of the file.
func authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read caFile: %w", err)
	}

	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read the system's certificates: %w", err)
	}

	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read caFile %q: it holds no certificate in PEM", file)
	}

	return pool, nil
}

// dockerHub is the host of references that name none.
const dockerHub = "docker.io"

// canonicalHost is the one spelling of a registry's host. Docker Hub has several.
func canonicalHost(host string) string {
	switch host = strings.ToLower(host); host {
	case "index.docker.io", "registry-1.docker.io":
		return dockerHub
	default:
		return host
	}
}

// isLoopback is true for registries on this machine by their name alone, which the engine, too, reaches without TLS.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}

	if host == "localhost" {
		return true
	}

	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))

	return err == nil && addr.IsLoopback()
}
