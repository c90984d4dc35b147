package controlplane

import (
	"crypto/x509"
	"encoding/pem"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/internal/controlplane/pki"
)

// expiry shows until when the certificates of a server are good. The files are read when somebody asks, because a server
// that could not renew one must not show what it meant to write.
type expiry struct{ certs pki.Bundle }

var expiryDesc = prometheus.NewDesc("dogker_certificate_expiration_timestamp_seconds",
	"When a certificate of the server ends, in Unix time: the authority's, the one that clients are shown, or the administrator's.",
	[]string{"certificate"}, nil)

// Describe implements prometheus.Collector.
func (e expiry) Describe(ch chan<- *prometheus.Desc) { ch <- expiryDesc }

// Collect implements prometheus.Collector. A file that cannot be read leaves a gap.
func (e expiry) Collect(ch chan<- prometheus.Metric) {
	authority, _ := os.ReadFile(e.certs.CAFile)
	server, _ := os.ReadFile(e.certs.ServerFile)

	for name, raw := range map[string][]byte{"authority": authority, "server": server, "admin": e.certs.AdminCert} {
		if at, ok := endOf(raw); ok {
			ch <- prometheus.MustNewConstMetric(expiryDesc, prometheus.GaugeValue, at, name)
		}
	}
}

// endOf is when the first certificate in a file ends; beside it may be a key.
func endOf(raw []byte) (float64, bool) {
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return 0, false
		}

		return float64(cert.NotAfter.Unix()), true
	}

	return 0, false
}
