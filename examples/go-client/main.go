// Command go-client shows how a Go program works with Dogker: it declares a container, waits until that is Ready, scales it,
// tells what happens to it meanwhile, and deletes it.
//
//	go run ./examples/go-client -namespace acme -image nginx:1.29
//
// It needs the types in api/dogker/v1alpha1 and controller-runtime's client; nothing in it is about Swarm. Whoever keeps
// something as declared for good writes a controller with controller-runtime instead, with the same types.
//
// Exit code 0: all of it has worked. 1: it has not; the error says what the container says about itself. What was declared
// is deleted in both cases, unless -keep says otherwise.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// options are the flags.
type options struct {
	namespace, name, image, pullPolicy string
	replicas                           int
	timeout                            time.Duration
	keep                               bool
}

func main() {
	var o options
	flag.StringVar(&o.namespace, "namespace", "", "namespace of the tenant; by default that of the kubeconfig's context")
	flag.StringVar(&o.name, "name", "go-client", "name of the container")
	flag.StringVar(&o.image, "image", "nginx:1.29", "image to run")
	flag.StringVar(&o.pullPolicy, "pull-policy", string(v1alpha1.PullIfNotPresent), "IfNotPresent, Always or Never")
	flag.IntVar(&o.replicas, "replicas", 2, "how many tasks to scale to")
	flag.DurationVar(&o.timeout, "timeout", 2*time.Minute, "how long it may take until the container is Ready, each time")
	flag.BoolVar(&o.keep, "keep", false, "leave the container there")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// run is the life of one container.
func run(ctx context.Context, o options) (err error) {
	c, namespace, err := connect()
	if err != nil {
		return err
	}
	if o.namespace != "" {
		namespace = o.namespace
	}

	telling, silent := context.WithCancel(ctx)
	defer silent()
	go tell(telling, c, namespace, o.name)

	tc := &v1alpha1.TenantContainer{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: o.name},
		Spec: v1alpha1.TenantContainerSpec{
			Image:           v1alpha1.Image(o.image),
			ImagePullPolicy: v1alpha1.PullPolicy(o.pullPolicy),
			Replicas:        new(int32(1)),
		},
	}
	if err := c.Create(ctx, tc); err != nil {
		return fmt.Errorf("create container %q: %w", o.name, err)
	}
	fmt.Printf("%s/%s created\n", namespace, o.name)
	if !o.keep {
		defer func() { err = errors.Join(err, remove(c, tc, o.timeout)) }()
	}

	if err := awaitReady(ctx, c, tc, o.timeout); err != nil {
		return err
	}
	if err := scale(ctx, c, tc, int32(min(o.replicas, 10_000))); err != nil {
		return err
	}
	fmt.Printf("%s/%s scaled to %d\n", namespace, o.name, o.replicas)

	return awaitReady(ctx, c, tc, o.timeout)
}

// connect makes a client in the way kubectl does: of KUBECONFIG or ~/.kube/config, and its current context.
func connect() (client.WithWatch, string, error) {
	kubeconfig := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil)
	cfg, err := kubeconfig.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("read kubeconfig: %w", err)
	}
	namespace, _, err := kubeconfig.Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("read namespace of kubeconfig: %w", err)
	}

	// Our kinds, and Kubernetes' own for the events.
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		return nil, "", fmt.Errorf("register kinds: %w", err)
	}
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, "", fmt.Errorf("connect to the API: %w", err)
	}

	return c, namespace, nil
}
