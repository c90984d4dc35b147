package login

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientauthenticationv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// CredentialCommand is the subcommand that kubectl runs for a token.
const CredentialCommand = "credential"

// Entry is what a login adds to a kubeconfig.
type Entry struct {
	Server, Username string
	CA               []byte
	// Context is its name; empty for USER@HOST.
	Context string
	// Namespace of the context; empty for none.
	Namespace string
	// Command is the program that kubectl runs for a token.
	Command string
}

// Write adds the entry to the kubeconfig that the rules find, makes its context the current one and leaves everything else
// as it is. It returns the name of the context.
func (e Entry) Write(rules *clientcmd.PathOptions) (string, error) {
	config, err := rules.GetStartingConfig()
	if err != nil {
		return "", fmt.Errorf("read kubeconfig: %w", err)
	}
	u, err := url.Parse(e.Server)
	if err != nil {
		return "", fmt.Errorf("read server %q: %w", e.Server, err)
	}
	name := e.Context
	if name == "" {
		name = e.Username + "@" + u.Host
	}

	cluster := clientcmdapi.NewCluster()
	cluster.Server, cluster.CertificateAuthorityData = e.Server, e.CA
	config.Clusters[u.Host] = cluster
	who := clientcmdapi.NewAuthInfo()
	who.Exec = &clientcmdapi.ExecConfig{
		APIVersion:      clientauthenticationv1.SchemeGroupVersion.String(),
		Command:         e.Command,
		Args:            []string{CredentialCommand, "--server", e.Server, "--username", e.Username},
		InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
		InstallHint:     "The tokens of this user are kept by the dogker command, which is not installed here.",
	}
	config.AuthInfos[e.Username+"@"+u.Host] = who
	context := clientcmdapi.NewContext()
	context.Cluster, context.AuthInfo, context.Namespace = u.Host, e.Username+"@"+u.Host, e.Namespace
	config.Contexts[name] = context
	config.CurrentContext = name

	// The command stays an absolute path: made relative, that of a program beside the kubeconfig would be a bare name,
	// which is looked for elsewhere.
	if err := clientcmd.ModifyConfig(rules, *config, false); err != nil {
		return "", fmt.Errorf("write kubeconfig: %w", err)
	}

	return name, nil
}

// KnownCA is the authority that a kubeconfig has for a server; empty when it has none.
func KnownCA(rules *clientcmd.PathOptions, server string) []byte {
	config, err := rules.GetStartingConfig()
	if err != nil {
		return nil
	}
	for _, cluster := range config.Clusters {
		if cluster.Server == server && len(cluster.CertificateAuthorityData) > 0 {
			return cluster.CertificateAuthorityData
		}
	}

	return nil
}

// Current is whose session the current context of a kubeconfig uses, or the one of that name.
func Current(rules *clientcmd.PathOptions, context string) (server, username string, err error) {
	config, err := rules.GetStartingConfig()
	if err != nil {
		return "", "", fmt.Errorf("read kubeconfig: %w", err)
	}
	if context == "" {
		context = config.CurrentContext
	}
	if c, ok := config.Contexts[context]; ok {
		if who, ok := config.AuthInfos[c.AuthInfo]; ok && who.Exec != nil {
			server, username = argument(who.Exec.Args, "--server"), argument(who.Exec.Args, "--username")
		}
	}
	if server == "" || username == "" {
		return "", "", fmt.Errorf("%w: context %q of the kubeconfig was not made by dogker login", ErrLoggedOut, context)
	}

	return server, username, nil
}

func argument(args []string, name string) string {
	for i, a := range args {
		if a == name && i+1 < len(args) {
			return args[i+1]
		}
	}

	return ""
}

// WriteCredential writes the access token as kubectl expects it of a credential plugin.
func (s Session) WriteCredential(out io.Writer) error {
	expires := metav1.NewTime(s.Tokens.AccessExpirationTime)
	credential := clientauthenticationv1.ExecCredential{
		TypeMeta: metav1.TypeMeta{APIVersion: clientauthenticationv1.SchemeGroupVersion.String(), Kind: "ExecCredential"},
		Status:   &clientauthenticationv1.ExecCredentialStatus{Token: s.Tokens.AccessToken, ExpirationTimestamp: &expires},
	}
	if err := json.NewEncoder(out).Encode(credential); err != nil {
		return fmt.Errorf("write credential: %w", err)
	}

	return nil
}
