//go:build conformance

package conformance

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// keepers are a tenant of few snapshots, with a developer and somebody who may write Volumes and run nothing.
const keepers = `apiVersion: dogker.io/v1alpha1
kind: Plan
metadata: {name: keepers}
spec: {quota: {snapshots: 2}}
---
apiVersion: dogker.io/v1alpha1
kind: Tenant
metadata: {name: keepers}
spec:
  planName: keepers
  members: [{kind: User, name: ada, roles: [developer]}]
`

const onlyVolumes = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: only-volumes}
rules: [{apiGroups: [dogker.io], resources: [volumes, volumesnapshots], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: only-volumes}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: only-volumes}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: carl}]
`

func snapshotClass(name, spec string) string {
	return fmt.Sprintf("apiVersion: dogker.io/v1alpha1\nkind: VolumeSnapshotClass\nmetadata: {name: %s}\nspec: %s\n", name, spec)
}

func dataVolume(name, spec string) string {
	return fmt.Sprintf("apiVersion: dogker.io/v1alpha1\nkind: Volume\nmetadata: {name: %s}\nspec: %s\n", name, spec)
}

func snapshot(name, spec string) string {
	return fmt.Sprintf("apiVersion: dogker.io/v1alpha1\nkind: VolumeSnapshot\nmetadata: {name: %s}\nspec: %s\n", name, spec)
}

// TestSnapshots: what kubectl says of snapshots, their classes, and Volumes with a schedule, to the platform and to a tenant.
func TestSnapshots(t *testing.T) {
	s := ownServer(t)
	k := &kubectl{t: t, server: s, namespace: "keepers", command: []string{"kubectl"}}
	k.do(keepers, "apply", "-f", "-")
	k.do("", "wait", "--for=jsonpath={.status.namespace}=keepers", "tenant/keepers", "--timeout=30s")
	await(t, "rights of a developer", func() bool {
		_, _, code := k.run("", "auth", "can-i", "create", "pods", "--subresource", "exec", "--as", "ada")

		return code == 0
	})
	k.do(onlyVolumes, "apply", "-f", "-")

	refused := func(what, object string, as []string, says ...string) {
		t.Helper()
		out, errs, code := k.run(object, append(as, "create", "-f", "-")...)
		if code == 0 {
			t.Errorf("%s is taken: %s", what, out)
		}
		contains(t, what, errs, says...)
	}
	ada, carl := []string{"--as", "ada"}, []string{"--as", "carl"}

	refused("a snapshot without any class", snapshot("early", "{source: {volumeName: data}}"), ada, "spec.className", "no VolumeSnapshotClass is the default; there are none")
	for what, c := range map[string]struct{ spec, says string }{
		"NoPlace":      {"{}", "exactly one of directory and s3 must be set"},
		"TwoPlaces":    {"{directory: {path: /srv/a}, s3: {endpoint: 'https://s3.example', bucket: abc, credentialsSecretRef: {name: s}}}", "exactly one of directory and s3"},
		"Data":         {"{directory: {path: " + filepath.Join(s.dir, "snapshots") + "}}", "must be apart from " + s.dir},
		"AboveData":    {"{directory: {path: " + filepath.Dir(s.dir) + "}}", "must be apart from"},
		"Root":         {"{directory: {path: /}}", "spec.directory.path"},
		"System":       {"{directory: {path: /etc/snapshots}}", "must not be in /etc"},
		"HTTP":         {"{s3: {endpoint: 'http://s3.example', bucket: abc, credentialsSecretRef: {name: s}}}", "must begin with https://"},
		"Password":     {"{s3: {endpoint: 'https://key:secret@s3.example', bucket: abc, credentialsSecretRef: {name: s}}}", "spec.s3.endpoint"},
		"Metadata":     {"{s3: {endpoint: 'https://169.254.169.254', bucket: abc, credentialsSecretRef: {name: s}}}", "public address"},
		"Recipient":    {"{directory: {path: /srv/a}, recipients: [age1nonsense]}", "spec.recipients[0]"},
		"UnknownField": {"{directory: {path: /srv/a, mode: 0777}}", `unknown field "spec.directory.mode"`},
	} {
		refused("class "+what, snapshotClass("bad", c.spec), nil, c.says)
	}

	place := t.TempDir()
	k.do(snapshotClass("nightly", "{directory: {path: "+place+"}}"), "create", "-f", "-")
	refused("a schedule without a default class", dataVolume("early", "{size: 1Gi, snapshots: {schedule: '@daily'}}"), ada, "spec.snapshots.className", "there are: nightly")
	k.do("", "annotate", "vsclass", "nightly", "dogker.io/is-default-class=true")
	contains(t, "columns of classes", k.do("", "get", "vsclass", "-o", "wide"), "NAME", "READY", "BUCKET", "PATH", "DELETION", "SNAPSHOTS", "MESSAGE", place)
	refusedChange(t, k, "vsclass/nightly", `{"spec":{"directory":{"path":"/srv/other"}}}`, "directory cannot be changed")

	for what, c := range map[string]struct{ spec, says string }{
		"NeverTicks":   {"{schedule: '0 0 30 2 *'}", "spec.snapshots.schedule"},
		"BadField":     {"{schedule: '61 * * * *'}", `minute "61" must be 0 to 59`},
		"Every":        {"{schedule: '@every 1s'}", "must be minute, hour"},
		"BadZone":      {"{schedule: '@daily', timeZone: Asia/Atlantis}", "spec.snapshots.timeZone"},
		"ZoneAlone":    {"{timeZone: Asia/Jakarta}", "timeZone must not be set without schedule"},
		"KeepNone":     {"{schedule: '@daily', keep: 0}", "spec.snapshots.keep"},
		"KeepTooMany":  {"{schedule: '@daily', keep: 1001}", "spec.snapshots.keep"},
		"UnknownClass": {"{className: weekly}", `"weekly": there is no such VolumeSnapshotClass; there are: nightly`},
		"NoHook":       {"{hooks: {container: db}}", "must have pre, post, or both"},
		"HookName":     {"{hooks: {container: 'a/b', pre: {command: [x]}}}", "spec.snapshots.hooks.container"},
		"HookForever":  {"{hooks: {pre: {command: [x], timeoutSeconds: 86400}}}", "spec.snapshots.hooks.pre.timeoutSeconds"},
		"HookTooLong":  {"{hooks: {pre: {command: [sh, -c, '" + strings.Repeat("x", 17<<10) + "']}}}", "at most 16384 bytes"},
		"HookOnError":  {"{hooks: {pre: {command: [x], onError: Ignore}}}", `supported values: "Fail", "Continue"`},
		"Quiesce":      {"{quiesce: Freeze}", `supported values: "None", "Pause"`},
	} {
		refused("snapshots "+what, dataVolume("bad", "{size: 1Gi, snapshots: "+c.spec+"}"), ada, c.says)
	}
	refused("a restore of what is adopted", dataVolume("bad", "{size: 1Gi, adopt: acme_data_1, restoreFrom: monday}"), nil, "spec.restoreFrom", "adopt")

	// A hook is an exec.
	const hooked = "{size: 1Gi, snapshots: {schedule: '@daily', hooks: {pre: {command: [redis-cli, SAVE]}}}}"
	refused("a hook of somebody who may run nothing", dataVolume("data", hooked), carl, "spec.snapshots.hooks", "right to create pods/exec")
	k.do(dataVolume("data", hooked), append(ada, "create", "-f", "-")...)
	k.do("", append(carl, "patch", "volume", "data", "--type", "merge", "-p", `{"spec":{"snapshots":{"keep":3}}}`)...)
	refusedChange(t, &kubectl{t: t, server: s, namespace: k.namespace, command: append([]string{"kubectl"}, carl...)}, "volume/data",
		`{"spec":{"snapshots":{"hooks":{"pre":{"command":["id"]}}}}}`, "right to create pods/exec")
	k.do("", append(carl, "patch", "volume", "data", "--type", "merge", "-p", `{"spec":{"snapshots":{"hooks":null}}}`)...)

	// Archives of before are the platform's.
	const archive = "{source: {archive: {name: other/data/1.age, volumeUID: '1'}}}"
	refused("somebody's archive", snapshot("taken", archive), ada, "spec.source.archive", "adopt volumesnapshots in all namespaces")
	refused("an archive with a way up", snapshot("taken", "{source: {archive: {name: ../secrets/encryption.yaml, volumeUID: '1'}}}"), nil, "spec.source.archive.name")
	refused("both sources", snapshot("both", "{source: {volumeName: data, archive: {name: a, volumeUID: '1'}}}"), nil, "exactly one of volumeName and archive")
	k.do(snapshot("taken", archive), "create", "-f", "-", "--dry-run=server")

	// The quota of the tenant.
	k.do(snapshot("one", "{source: {volumeName: data}}"), append(ada, "create", "-f", "-")...)
	k.do(snapshot("two", "{source: {volumeName: data}}"), append(ada, "create", "-f", "-")...)
	refused("one more than the quota has", snapshot("three", "{source: {volumeName: data}}"), ada, "exceeded quota", "limited: count/volumesnapshots.dogker.io=2")
	if got := k.do("", "get", "vs", "one", "-o", "jsonpath={.spec.className} {.metadata.finalizers}"); got != `nightly ["dogker.io/volumesnapshot"]` {
		t.Errorf("a snapshot has class and finalizers %s", got)
	}
	refusedChange(t, k, "vs/one", `{"spec":{"source":{"volumeName":"other"}}}`, "a snapshot cannot be changed; make another one")
	contains(t, "columns", k.do("", append(ada, "get", "vs", "-o", "wide")...), "NAME", "READY", "STATUS", "VOLUME", "RESTORE-SIZE", "ARCHIVE-SIZE", "CLASS", "TAKEN", "MESSAGE")
	contains(t, "explanation", k.do("", "explain", "volume.spec.snapshots.hooks"), "container", "pre", "post")
	refusedDeletion(t, k, "tenant/keepers", "VolumeSnapshot one")
}

func refusedChange(t *testing.T, k *kubectl, what, patch string, says ...string) {
	t.Helper()
	if _, errs, code := k.run("", "patch", what, "--type", "merge", "-p", patch); code == 0 {
		t.Errorf("%s takes %s", what, patch)
	} else {
		contains(t, what, errs, says...)
	}
}

func refusedDeletion(t *testing.T, k *kubectl, what string, says ...string) {
	t.Helper()
	if _, errs, code := k.run("", "delete", what, "--wait=false"); code == 0 {
		t.Errorf("%s is deleted", what)
	} else {
		contains(t, what, errs, says...)
	}
}
