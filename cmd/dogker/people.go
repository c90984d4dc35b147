package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
	"github.com/dogker/dogker/internal/identity"
)

func newRegisterCommand() *cobra.Command {
	var f loginFlags
	var email, displayName string
	cmd := &cobra.Command{
		Use:     "register SERVER",
		Short:   "Ask to become a User of a server",
		Example: `  dogker register cloud.example.com:6443 --username jane --email jane@example.com --certificate-authority ca.crt`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, server, _, err := f.client(args[0])
			if err != nil {
				return err
			}
			password, err := f.newPrompt(cmd).askTwice("Password")
			if err != nil {
				return err
			}
			answer, err := client.Register(cmd.Context(), identity.RegisterRequest{
				Username: f.username, Email: email, DisplayName: displayName, Password: password,
			})
			if err != nil {
				return fmt.Errorf("register as %q: %w", f.username, err)
			}
			next := "Log in: dogker login " + server + " -u " + answer.Username
			if answer.Access == v1alpha1.AccessPending {
				next = "An administrator has to let you in."
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Registered as %s. %s\n", answer.Username, next)

			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&email, "email", "", "your email address")
	cmd.Flags().StringVar(&displayName, "display-name", "", "what people call you")
	require(cmd, "username", "email")

	return cmd
}

const passwdHelp = `Change your own password, or set that of somebody else.

With a SERVER it changes the password of --username, who must know the old one; with --password-stdin the first line is
the old one and the second the new one. All sessions end.

With --set it sets the password of that User, as whoever --kubeconfig or KUBECONFIG says, or else as the administrator of
the data directory. Who may is whom RBAC lets create users/password in the group identity.dogker.io.`

func newPasswdCommand(g *globals) *cobra.Command {
	var f loginFlags
	var set string
	cmd := &cobra.Command{
		Use:   "passwd [SERVER]",
		Short: "Change your password, or set that of a User",
		Long:  passwdHelp,
		Example: `  dogker passwd cloud.example.com:6443 --username jane
  dogker passwd --set jane`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if set != "" && len(args) == 0 {
				return setPassword(cmd, g, f, set)
			}
			if set != "" || len(args) == 0 || f.username == "" {
				return errors.New("give SERVER and --username for your own password, or --set NAME for that of somebody else")
			}

			return changePassword(cmd, f, args[0])
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&set, "set", "", "set the password of this User, as an administrator")

	return cmd
}

func changePassword(cmd *cobra.Command, f loginFlags, address string) error {
	client, _, _, err := f.client(address)
	if err != nil {
		return err
	}
	p := f.newPrompt(cmd)
	old, err := p.ask("Old password")
	if err != nil {
		return err
	}
	fresh, err := p.askTwice("New password")
	if err != nil {
		return err
	}
	err = client.ChangePassword(cmd.Context(), identity.PasswordRequest{Username: f.username, Password: old, NewPassword: fresh})
	if err != nil {
		return fmt.Errorf("change password of %q: %w", f.username, err)
	}
	fmt.Fprintln(cmd.OutOrStdout(), "Password changed. All sessions have ended: log in again.")

	return nil
}

func setPassword(cmd *cobra.Command, g *globals, f loginFlags, name string) error {
	config := genericclioptions.NewConfigFlags(true)
	config.KubeConfig = &f.kubeconfig
	password, err := f.newPrompt(cmd).askTwice("Password")
	if err != nil {
		return err
	}
	if f.kubeconfig == "" {
		useKubeconfig(g.dataDir, nil)
	}
	client, _, err := restClient(config)
	if err != nil {
		return err
	}
	err = post(cmd.Context(), client, identity.SetPasswordRequest{Password: password}, nil, "users", name, "password")
	if err != nil {
		return fmt.Errorf("set password of %q: %w", name, err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Password of %s set. All their sessions have ended.\n", name)

	return nil
}

const deployTokenHelp = `Make a DeployToken and print its token, which is shown this once.

A token is good for one namespace, for what its scope says and until it expires. Where a DeployToken of that name exists,
a new token is issued for it and the one before is void. "kubectl delete deploytoken NAME" revokes it at once.

It is done as whoever the kubeconfig says that kubectl uses: the one that dogker login has written.`

func newDeployTokenCommand() *cobra.Command {
	config := genericclioptions.NewConfigFlags(true)
	var scope string
	var containers []string
	var expires time.Duration
	cmd := &cobra.Command{
		Use:   "deploy-token NAME",
		Short: "Make a token for a program that deploys",
		Long:  deployTokenHelp,
		Example: `  dogker deploy-token ci -n acme --scope Deploy --container web --expires 2160h
  kubectl config set-credentials ci --token "$TOKEN"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, namespace, err := restClient(config)
			if err != nil {
				return err
			}
			d := v1alpha1.DeployToken{Spec: v1alpha1.DeployTokenSpec{
				Scope: v1alpha1.DeployScope(scope), ExpirationSeconds: int64(expires.Seconds()),
			}}
			d.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("DeployToken"))
			d.Name = args[0]
			for _, c := range containers {
				d.Spec.Containers = append(d.Spec.Containers, v1alpha1.ContainerName(c))
			}
			issued, err := issueDeployToken(cmd.Context(), client, namespace, &d)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "Token of deploytoken/%s, good until %s. It is not shown again:\n", d.Name, issued.ExpirationTime.Local().Format("2006-01-02 15:04"))
			fmt.Fprintln(cmd.OutOrStdout(), issued.Token)

			return nil
		},
	}
	config.AddFlags(cmd.Flags())
	cmd.Flags().StringVar(&scope, "scope", string(v1alpha1.ScopeDeploy), "what its bearer may do: Read or Deploy")
	cmd.Flags().StringSliceVar(&containers, "container", nil, "the TenantContainers it is for; all of the namespace by default")
	cmd.Flags().DurationVar(&expires, "expires", 90*24*time.Hour, "how long it is good, from ten minutes to a year")

	return cmd
}

// issueDeployToken makes the object where there is none, and takes a token for it.
func issueDeployToken(ctx context.Context, client rest.Interface, namespace string, d *v1alpha1.DeployToken) (identity.DeployTokenResponse, error) {
	var issued identity.DeployTokenResponse
	err := post(ctx, client, d, nil, "namespaces", namespace, "deploytokens")
	if apierrors.IsAlreadyExists(err) {
		err = sameDeployToken(ctx, client, namespace, d)
	}
	if err != nil {
		return issued, fmt.Errorf("make deploytoken %q: %w", d.Name, err)
	}
	if err := post(ctx, client, struct{}{}, &issued, "namespaces", namespace, "deploytokens", d.Name, "token"); err != nil {
		return issued, fmt.Errorf("issue token of deploytoken %q: %w", d.Name, err)
	}

	return issued, nil
}

// sameDeployToken refuses to issue a token that is good for something else than what was asked for.
func sameDeployToken(ctx context.Context, client rest.Interface, namespace string, want *v1alpha1.DeployToken) error {
	raw, err := client.Get().AbsPath(identityPath("namespaces", namespace, "deploytokens", want.Name)...).Do(ctx).Raw()
	if err != nil {
		return err
	}
	var have v1alpha1.DeployToken
	if err := json.Unmarshal(raw, &have); err != nil {
		return fmt.Errorf("read it: %w", err)
	}
	if !equality.Semantic.DeepEqual(have.Spec, want.Spec) {
		return errors.New("it exists with another scope, other containers or another lifetime: delete it first, or choose another name")
	}

	return nil
}

func identityPath(parts ...string) []string {
	return append([]string{"apis", v1alpha1.GroupVersion.Group, v1alpha1.GroupVersion.Version}, parts...)
}

// post sends one object and reads one, or none where answer is nil.
func post(ctx context.Context, client rest.Interface, body, answer any, path ...string) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	raw, err = client.Post().AbsPath(identityPath(path...)...).SetHeader("Content-Type", "application/json").Body(raw).Do(ctx).Raw()
	if err != nil || answer == nil {
		return err
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return errors.New("read answer: it is not what was asked for")
	}

	return nil
}

// restClient speaks to the API as the kubeconfig says, in the namespace of its context.
func restClient(config *genericclioptions.ConfigFlags) (rest.Interface, string, error) {
	cfg, err := config.ToRESTConfig()
	if err != nil {
		return nil, "", fmt.Errorf("read kubeconfig: %w", err)
	}
	namespace, _, err := config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("read namespace of kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, "", fmt.Errorf("connect to the API: %w", err)
	}

	return client.RESTClient(), namespace, nil
}
