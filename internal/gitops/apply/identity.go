package apply

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
)

// As is a configuration for somebody who is the ServiceAccount to the API, and nobody else. There is no way to get the
// rights of the configuration it is made of. Rates are not limited here: the API queues each tenant's requests fairly.
func As(cfg *rest.Config, namespace, account string) (*rest.Config, error) {
	if errs := validation.IsDNS1123Label(namespace); len(errs) > 0 {
		return nil, fmt.Errorf("act as ServiceAccount: namespace: Invalid value: %q: %s", namespace, strings.Join(errs, "; "))
	}

	if errs := validation.IsDNS1123Subdomain(account); len(errs) > 0 {
		return nil, fmt.Errorf("act as ServiceAccount: spec.serviceAccountName: Invalid value: %q: %s", account, strings.Join(errs, "; "))
	}

	out := rest.CopyConfig(cfg)
	// The API adds the groups of service accounts by itself.
	out.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:" + namespace + ":" + account}
	out.QPS = -1

	return out, nil
}
