package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/dogker/dogker/internal/identity"
	"github.com/dogker/dogker/internal/login"
)

const loginHelp = `Log in as a User and write a kubeconfig.

The kubeconfig gets a context that runs "dogker credential" for a token; it holds neither token nor password itself. The
tokens are in a file that only you can read, are short-lived, and are refreshed by themselves until the session is over.

The server's certificate is always verified: by --certificate-authority, which is written into the kubeconfig, by what the
kubeconfig knows of that server already, or by the authorities that this machine trusts. An administrator finds the
authority of a server in DATA-DIR/pki/ca.crt.`

const loginExamples = `  dogker login https://cloud.example.com:6443 --username jane --certificate-authority ca.crt
  kubectl auth whoami

  # Without a terminal
  dogker login cloud.example.com:6443 -u jane --password-stdin < password`

// loginFlags are shared by what speaks to a server without a kubeconfig.
type loginFlags struct {
	username      string
	caFile        string
	kubeconfig    string
	passwordStdin bool
}

func (f *loginFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.username, "username", "u", "", "name of the User")
	flags.StringVar(&f.caFile, "certificate-authority", "", "file with the authority that has signed the server's certificate")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "the kubeconfig; by default KUBECONFIG or ~/.kube/config")
	flags.BoolVar(&f.passwordStdin, "password-stdin", false, "read the password from standard input, to the end of the line")
}

// require makes flags required. It cannot fail for flags that are defined.
func require(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		_ = cmd.MarkFlagRequired(name)
	}
}

func kubeconfigRules(path string) *clientcmd.PathOptions {
	rules := clientcmd.NewDefaultPathOptions()
	rules.LoadingRules.ExplicitPath = path

	return rules
}

// client connects to a server whose authority is known from the flags or the kubeconfig.
func (f *loginFlags) client(address string) (c *login.Client, server string, ca []byte, err error) {
	if server, err = login.ParseServer(address); err != nil {
		return nil, "", nil, err
	}
	if f.caFile == "" {
		ca = login.KnownCA(kubeconfigRules(f.kubeconfig), server)
	} else if ca, err = os.ReadFile(f.caFile); err != nil {
		return nil, "", nil, fmt.Errorf("read --certificate-authority: %w", err)
	}
	c, err = login.NewClient(server, ca)

	return c, server, ca, err
}

func newLoginCommand() *cobra.Command {
	var f loginFlags
	var context, namespace string
	cmd := &cobra.Command{
		Use:     "login SERVER",
		Short:   "Log in as a User and write a kubeconfig",
		Long:    loginHelp,
		Example: loginExamples,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, server, ca, err := f.client(args[0])
			if err != nil {
				return err
			}
			password, err := f.newPrompt(cmd).ask("Password")
			if err != nil {
				return err
			}
			tokens, err := client.Login(cmd.Context(), identity.LoginRequest{Username: f.username, Password: password})
			if err != nil {
				return fmt.Errorf("log in as %q: %w", f.username, err)
			}

			return keep(cmd, f, login.Session{Server: server, Username: f.username, CA: ca, Tokens: tokens}, context, namespace)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&context, "context", "", "name of the context in the kubeconfig; by default USER@HOST")
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "namespace of the context")
	require(cmd, "username")

	return cmd
}

// keep stores the tokens and writes the kubeconfig.
func keep(cmd *cobra.Command, f loginFlags, session login.Session, context, namespace string) error {
	sessions, err := login.DefaultSessions()
	if err != nil {
		return err
	}
	if err := sessions.Save(session); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	entry := login.Entry{
		Server: session.Server, Username: session.Username, CA: session.CA,
		Context: context, Namespace: namespace, Command: self,
	}
	name, err := entry.Write(kubeconfigRules(f.kubeconfig))
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Logged in as %s until %s. The current context is %s.\n",
		session.Username, session.Tokens.SessionExpirationTime.Local().Format("2006-01-02 15:04"), name)

	return nil
}

func newLogoutCommand() *cobra.Command {
	var kubeconfig, context string
	var everywhere bool
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "End the session of dogker login",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, username, err := login.Current(kubeconfigRules(kubeconfig), context)
			if err != nil {
				return err
			}
			sessions, err := login.DefaultSessions()
			if err != nil {
				return err
			}
			session, err := sessions.Load(server, username)
			if err != nil {
				return err
			}
			client, err := login.NewClient(session.Server, session.CA)
			if err != nil {
				return err
			}
			err = client.Logout(cmd.Context(), identity.LogoutRequest{Token: session.Tokens.RefreshToken, Everywhere: everywhere})
			if err != nil {
				return fmt.Errorf("end session: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Logged out as %s.\n", username)

			return sessions.Remove(server, username)
		},
	}
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "the kubeconfig; by default KUBECONFIG or ~/.kube/config")
	cmd.Flags().StringVar(&context, "context", "", "the context; by default the current one")
	cmd.Flags().BoolVar(&everywhere, "everywhere", false, "end all your sessions, on other machines, too")

	return cmd
}

// newCredentialCommand is what kubectl runs; people have no use for it.
func newCredentialCommand() *cobra.Command {
	var server, username string
	cmd := &cobra.Command{
		Use:    login.CredentialCommand,
		Short:  "Print a token for kubectl",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sessions, err := login.DefaultSessions()
			if err != nil {
				return err
			}
			session, err := sessions.Fresh(cmd.Context(), server, username)
			if errors.Is(err, login.ErrLoggedOut) {
				return fmt.Errorf("%w: dogker login %s -u %s", err, server, username)
			}
			if err != nil {
				return err
			}

			return session.WriteCredential(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&server, "server", "", "the server")
	cmd.Flags().StringVar(&username, "username", "", "name of the User")
	require(cmd, "server", "username")

	return cmd
}

// prompt asks for passwords: on the terminal without showing them, or line by line from standard input.
type prompt struct {
	lines *bufio.Reader
	out   io.Writer
}

func (f *loginFlags) newPrompt(cmd *cobra.Command) prompt {
	p := prompt{out: cmd.ErrOrStderr()}
	if f.passwordStdin {
		p.lines = bufio.NewReader(cmd.InOrStdin())
	}

	return p
}

func (p prompt) ask(what string) (string, error) {
	if p.lines != nil {
		line, err := p.lines.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return "", fmt.Errorf("read %s from standard input: there is none (%w)", strings.ToLower(what), err)
		}
		return line, nil
	}

	stdin := int(os.Stdin.Fd())
	if !term.IsTerminal(stdin) {
		return "", errors.New("there is no terminal to ask for a password on: give it by --password-stdin")
	}
	fmt.Fprintf(p.out, "%s: ", what)
	raw, err := term.ReadPassword(stdin)
	fmt.Fprintln(p.out)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", strings.ToLower(what), err)
	}

	return string(raw), nil
}

// askTwice is for passwords that nobody can correct afterwards.
func (p prompt) askTwice(what string) (string, error) {
	first, err := p.ask(what)
	if err != nil || p.lines != nil {
		return first, err
	}
	second, err := p.ask(what + ", again")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two are not the same")
	}

	return first, nil
}
