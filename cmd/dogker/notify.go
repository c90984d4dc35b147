package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"

	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/internal/outbox/trial"
	"github.com/dogker/dogker/reconciler/alert"
)

const notifyTestHelp = `Send one notice that says that it is a test, by the way that all notices take, and say what became of it.

It goes to an address, or to whoever a Receiver leads to. The exit code is 1 when it was not delivered: one that is refused, or
waits for a mail server that is down, is tried again like any other.`

const notifyExamples = `  # Does mail arrive?
  dogker notify test --to someone@example.com

  # Does the Receiver chat of tenant acme?
  dogker notify test --receiver acme/chat`

// notifyTimeout is how long the server may take.
const notifyTimeout = time.Minute

func newNotifyCommand(g *globals) *cobra.Command {
	config := genericclioptions.NewConfigFlags(true)
	cmd := &cobra.Command{Use: "notify", Short: "See whether notices arrive", Example: notifyExamples}
	config.AddFlags(cmd.PersistentFlags())

	var to, receiver string
	test := &cobra.Command{
		Use:     "test",
		Short:   "Send one notice that says that it is a test",
		Long:    notifyTestHelp,
		Example: notifyExamples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			req, err := trialOf(to, receiver)
			if err != nil {
				return err
			}
			if *config.KubeConfig == "" {
				useKubeconfig(g.dataDir, nil)
			}
			cfg, err := config.ToRESTConfig()
			if err != nil {
				return fmt.Errorf("read kubeconfig: %w", err)
			}
			c, err := kubernetes.NewForConfig(cfg)
			if err != nil {
				return fmt.Errorf("connect to the API: %w", err)
			}
			result, err := try(cmd.Context(), c, req)
			if err != nil {
				return err
			}
			said, err := told(result)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), said)
			}

			return err
		},
	}
	test.Flags().StringVar(&to, "to", "", "`ADDRESS` that a mail is sent to")
	test.Flags().StringVar(&receiver, "receiver", "", "`NAMESPACE/NAME` of a Receiver")
	cmd.AddCommand(test)

	return cmd
}

// trialOf is what the flags ask for.
func trialOf(to, receiver string) (trial.Request, error) {
	switch {
	case (to == "") == (receiver == ""):
		return trial.Request{}, errors.New("--to, --receiver: one of them must be given, and not both")
	case to != "":
		return trial.Request{To: to}, nil
	}
	namespace, name, both := strings.Cut(receiver, "/")
	if !both || namespace == "" || name == "" {
		return trial.Request{}, fmt.Errorf("--receiver: %q must be NAMESPACE/NAME", receiver)
	}

	return trial.Request{Receiver: &alert.ReceiverRef{Namespace: namespace, Name: name}}, nil
}

// try asks the server to send it.
func try(ctx context.Context, c kubernetes.Interface, req trial.Request) (trial.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()

	body, err := json.Marshal(req)
	if err != nil {
		return trial.Result{}, err
	}
	var code int
	answer := c.Discovery().RESTClient().Post().AbsPath(trial.NoticePath).SetHeader("Content-Type", "application/json").Body(body).Do(ctx)
	said, err := answer.StatusCode(&code).Raw()
	if err != nil {
		if text := strings.TrimSpace(string(said)); text != "" && code != 0 {
			return trial.Result{}, fmt.Errorf("the server answers %d: %s", code, text)
		}
		return trial.Result{}, fmt.Errorf("ask the server: %w", err)
	}
	var r trial.Result
	if err := json.Unmarshal(said, &r); err != nil {
		return r, fmt.Errorf("read the answer of the server: %w", err)
	}

	return r, nil
}

// told says what became of it; an error when it was not delivered.
func told(r trial.Result) (string, error) {
	switch r.Fate {
	case outbox.FateDelivered:
		return fmt.Sprintf("Notice %s was delivered.", r.ID), nil
	case outbox.FateNobody:
		return "", errors.New("there is nobody to tell: the Receiver is not there, is suspended, or leads to no contact")
	case outbox.FateWaiting:
		if r.Message == "" {
			return "", fmt.Errorf("notice %s waits, and was not tried yet: see dogker doctor, and docs/runbooks/notices.md", r.ID)
		}
		return "", fmt.Errorf("notice %s was not taken and is tried again: %s", r.ID, r.Message)
	default:
		return "", fmt.Errorf("notice %s was not taken and is not tried again; the log of the server says why", r.ID)
	}
}
