//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/internal/lab"
)

// quietYAML uses what is most easily read back as something else: contents, quantities, durations, defaults.
const quietYAML = `
apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata: {name: web}
spec:
  image: %s
  imagePullPolicy: Never
  ports: [{name: http, containerPort: 8080}]
  env: [{name: B, value: "2"}, {name: A, value: "1"}, {name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}]
  files:
  - {path: /etc/app.conf, configMapKeyRef: {name: conf, key: app.conf}, mode: 0440}
  - {path: /run/token, secretKeyRef: {name: keys, key: token}}
  resources: {requests: {cpu: 10m}, limits: {cpu: "0.5", memory: 64Mi, pids: 100}}
  healthCheck: {exec: {command: [/app, -check]}, periodSeconds: 2}
  rollout: {parallelism: 2, monitorSeconds: 3, maxFailurePercent: 10}
  security: {capabilities: {drop: [NET_RAW, CHOWN]}}
  tmpfs: [{mountPath: /tmp, size: 1Mi}]
  ulimits: [{name: nofile, soft: 512, hard: 1024}]
  dnsAliases: [www, api]
  extraHosts: [{ip: 10.9.8.7, hostnames: [db, cache]}]
  labels: {team: blue, app: web}
`

// TestSameYAMLNeverWrites applies the same file a hundred times and restarts the server five times. Any write would move
// the version of the service: it would also destroy the target of a rollback, and in the middle of a rollout the rollback
// itself.
func TestSameYAMLNeverWrites(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{})
	n := c.namespace(t, "quiet")
	n.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys"}, StringData: map[string]string{"token": "s3cr3t"}})
	n.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "conf"}, Data: map[string]string{"app.conf": "a=1\n"}})
	file := n.manifest(fmt.Sprintf(quietYAML, lab.Image("v1")))
	n.kubectl("apply", "-f", file)
	n.ready("web")
	was := n.settled("web")

	const rounds, applies = 5, 20
	for round := range rounds {
		for i := range applies {
			if i%2 == 0 {
				n.kubectl("apply", "-f", file)
			} else {
				n.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=robot", "-f", file)
			}
		}
		n.restart(round%2 == 1)
		n.ready("web")
		if err := n.unmoved(was); err != nil {
			t.Fatalf("after %d applies and %d restarts: %v", (round+1)*applies, round+1, err)
		}
	}

	// The next full look at Swarm comes within half a minute.
	stays(t, 35*time.Second, "at rest", func() error { return n.unmoved(was) })
}

// settled waits until Swarm itself has stopped writing to the service, and returns it.
func (n *tenant) settled(name string) swarm.Service {
	n.t.Helper()

	was := n.service(name)
	since := time.Now()
	await(n.t, soon, fmt.Sprintf("service of %q is settled", name), func() error {
		now := n.service(name)
		if now.Version.Index != was.Version.Index {
			was, since = now, time.Now()
		}
		if u := now.UpdateStatus; u != nil && (u.State == swarm.UpdateStateUpdating || u.State == swarm.UpdateStateRollbackStarted) {
			return fmt.Errorf("its update is %s", u.State)
		}
		if quiet := time.Since(since); quiet < 2*time.Second {
			return fmt.Errorf("it changed %v ago", quiet)
		}

		return nil
	})

	return was
}

// restart restarts the server, gently or not.
func (n *tenant) restart(rough bool) {
	n.t.Helper()

	end := n.server.stop
	if rough {
		end = n.server.kill
	}
	if err := end(); err != nil {
		n.t.Fatal(err)
	}
	if err := n.server.start(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
}
