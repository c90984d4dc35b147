package controlplane

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/dogker/dogker/internal/controlplane/datadir"
	"github.com/dogker/dogker/internal/controlplane/pki"
)

// writeKubeconfig writes what lets kubectl in as administrator. The file is replaced only when its content changes, so
// that tools which watch it are not woken by a restart.
func writeKubeconfig(path, server string, certs pki.Bundle) error {
	const name = "dogker"
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[name] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: certs.CA}
	cfg.AuthInfos[name] = &clientcmdapi.AuthInfo{ClientCertificateData: certs.AdminCert, ClientKeyData: certs.AdminKey}
	cfg.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	cfg.CurrentContext = name

	raw, err := clientcmd.Write(*cfg)
	if err != nil {
		return fmt.Errorf("encode admin kubeconfig: %w", err)
	}

	return datadir.WriteFile(path, raw)
}
