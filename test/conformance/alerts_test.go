//go:build conformance

package conformance

import (
	"fmt"
	"strings"
	"testing"
)

// monitoringObject is an Alert or a Receiver with that spec, one YAML mapping.
func monitoringObject(kind, name, spec string) string {
	return fmt.Sprintf("apiVersion: monitoring.dogker.io/v1alpha1\nkind: %s\nmetadata: {name: %s}\nspec: %s\n", kind, name, spec)
}

func alertOf(spec string) string    { return monitoringObject("Alert", "bad", spec) }
func receiverOf(spec string) string { return monitoringObject("Receiver", "bad", spec) }

// threshold is an Alert with a good rule, and what else is given.
func threshold(rest string) string {
	return alertOf("{threshold: {metric: cpu, value: 500m}, " + rest + "}")
}

// TestBadAlerts: what cannot be watched, or told, is refused with the field, its value and what is allowed.
func TestBadAlerts(t *testing.T) {
	k := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"kubectl"}}
	absent := func(rest string) string { return alertOf("{absent: {" + rest + "}, for: 1m}") }
	condition := func(rest string) string { return alertOf("{condition: {" + rest + "}}") }
	anomaly := func(rest string) string { return alertOf("{anomaly: {" + rest + "}}") }
	webhook := func(rest string) string { return receiverOf("{webhook: {" + rest + "}}") }

	for name, tc := range map[string]struct {
		yaml string
		says []string
	}{
		// What is watched.
		"NoRule":           {alertOf("{for: 1m}"), []string{"spec", "exactly one of threshold, absent, condition and anomaly"}},
		"TwoRules":         {threshold("absent: {of: Samples}, for: 1m"), []string{"spec", "exactly one of threshold, absent, condition and anomaly"}},
		"UnknownField":     {threshold("expr: up"), []string{`unknown field "spec.expr"`}},
		"ForgedStatus":     {alertOf("{threshold: {metric: cpu, value: 1}}\nstate: Firing"), []string{`unknown field "state"`}},
		"MetricAndQuery":   {alertOf("{threshold: {metric: cpu, query: up, value: 1}}"), []string{"spec.threshold", "exactly one of metric and query"}},
		"NeitherOfBoth":    {alertOf("{threshold: {value: 1}}"), []string{"spec.threshold", "exactly one of metric and query"}},
		"UnknownMetric":    {alertOf("{threshold: {metric: gpu, value: 1}}"), []string{"spec.threshold.metric", `"gpu"`, `"cpu"`, `"memoryLimitRatio"`}},
		"NoValue":          {alertOf("{threshold: {metric: cpu}}"), []string{"spec.threshold.value", "Required"}},
		"ValueInWords":     {alertOf("{threshold: {metric: cpu, value: much}}"), []string{"spec.threshold.value", "much"}},
		"UnknownOperator":  {alertOf("{threshold: {metric: cpu, value: 1, operator: '=>'}}"), []string{"spec.threshold.operator", `"=>"`, `">="`}},
		"WindowOfQuery":    {alertOf("{threshold: {query: up, value: 1, window: 5m}}"), []string{"spec.threshold.window", "with metric only"}},
		"WindowTooLong":    {alertOf("{threshold: {metric: cpu, value: 1, window: 3h}}"), []string{"spec.threshold.window", `"3h"`, "from 30s to 2h"}},
		"WindowInWords":    {alertOf("{threshold: {metric: cpu, value: 1, window: soon}}"), []string{"spec.threshold.window", "from 30s to 2h"}},
		"QueryNonsense":    {alertOf("{threshold: {query: 'sum(up', value: 1}}"), []string{"spec.threshold.query", "sum(up", "unclosed left parenthesis"}},
		"QueryForeign":     {alertOf(`{threshold: {query: 'up{namespace="kube-system"}', value: 1}}`), []string{"spec.threshold.query", "asks for another namespace"}},
		"QueryOfRange":     {alertOf("{threshold: {query: 'up[5m]', value: 1}}"), []string{"spec.threshold.query", "up[5m]", "scalar or an instant vector"}},
		"QueryTooLong":     {alertOf("{threshold: {query: '" + strings.Repeat("u", 2049) + "', value: 1}}"), []string{"spec.threshold.query", "Too long", "2048"}},
		"UnknownAbsence":   {absent("of: Everything"), []string{"spec.absent.of", `"Everything"`, `"Heartbeat"`}},
		"AbsenceOfQuery":   {absent("of: Query"), []string{"spec.absent.query", "if and only if of is Query"}},
		"QueryOfTasks":     {absent("of: Tasks, query: up"), []string{"spec.absent.query", "if and only if of is Query"}},
		"AbsentAtOnce":     {alertOf("{absent: {of: Tasks}}"), []string{"spec.for", "at least 30s with absent"}},
		"AbsentTooSoon":    {alertOf("{absent: {of: Tasks}, for: 29s}"), []string{"spec.for", "at least 30s with absent"}},
		"UnknownKind":      {condition("kind: Pod"), []string{"spec.condition.kind", `"Pod"`, `"TenantContainer"`}},
		"KindOfPlatform":   {condition("kind: Node"), []string{"spec.condition.kind", "Node is for Alerts of the namespace dogker-system only"}},
		"UnknownStatus":    {condition("kind: GitSync, status: Bad"), []string{"spec.condition.status", `"Bad"`, `"Unknown"`}},
		"NameAndSelector":  {condition("kind: GitSync, name: a, selector: {matchLabels: {a: b}}"), []string{"spec.condition.selector", "must not be set with name"}},
		"BadSelector":      {condition("kind: GitSync, selector: {matchExpressions: [{key: a, operator: Near, values: [b]}]}"), []string{"spec.condition.selector", "Near"}},
		"ContainersOfSync": {alertOf("{condition: {kind: GitSync}, containers: {names: [web]}}"), []string{"spec.containers", "must not be set with condition"}},
		"NoContainers":     {threshold("containers: {}"), []string{"spec.containers", "must have names, selector or both"}},
		"ContainerName":    {threshold("containers: {names: [Web]}"), []string{"spec.containers.names[0]", `"Web"`}},
		"AnomalyRestarts":  {anomaly("metric: restarts"), []string{"spec.anomaly.metric", "they have no usual number"}},
		"UnknownSense":     {anomaly("metric: cpu, sensitivity: Extreme"), []string{"spec.anomaly.sensitivity", `"Extreme"`, `"Medium"`}},
		"PastTooShort":     {anomaly("metric: cpu, window: 1m"), []string{"spec.anomaly.window", `"1m`, "from 10m to 2h"}},
		"HistoryTooLong":   {anomaly("metric: cpu, window: 10m, minimumHistory: 1h"), []string{"spec.anomaly.minimumHistory", "1h", "not be longer than window, which is 10m"}},
		"AllNamespaces":    {threshold("allNamespaces: true"), []string{"spec.allNamespaces", "for Alerts of the namespace dogker-system only"}},

		// When, and how it is told.
		"ForTooLong":      {threshold("for: 25h"), []string{"spec.for", `"25h`, "from 0s to 24h"}},
		"ForBackwards":    {threshold("for: -1m"), []string{"spec.for", `"-1m`, "from 0s to 24h"}},
		"KeepsTooLong":    {threshold("keepFiringFor: 48h"), []string{"spec.keepFiringFor", `"48h`, "from 0s to 24h"}},
		"UnknownSeverity": {threshold("severity: panic"), []string{"spec.severity", `"panic"`, `"info", "warning", "critical"`}},
		"TopicOfBilling":  {threshold("topic: Billing"), []string{"spec.topic", "must be Alerts or Containers"}},
		"UnknownTopic":    {threshold("topic: Weather"), []string{"spec.topic", `"Weather"`, `"Alerts"`}},
		"LabelName":       {threshold("labels: {a-b: c}"), []string{"spec.labels", "a-b", "as Prometheus has them"}},
		"AnnotationName":  {threshold("annotations: {1st: c}"), []string{"spec.annotations", "1st", "not beginning with a digit"}},
		"AnnotationLong":  {threshold("annotations: {summary: " + strings.Repeat("a", 513) + "}"), []string{"spec.annotations.summary", "Too long", "512"}},
		"ReceiverTwice":   {threshold("receivers: [chat, chat]"), []string{"spec.receivers[1]", "Duplicate"}},
		"GroupByNonsense": {threshold("groupBy: [a-b]"), []string{"spec.groupBy[0]", "a-b", "should match"}},
		"GroupWaitLong":   {threshold("groupWait: 2h"), []string{"spec.groupWait", `"2h`, "from 0s to 1h"}},
		"RepeatsAtOnce":   {threshold("repeatInterval: 30s"), []string{"spec.repeatInterval", `"30s"`, "0s, or from 1m to 720h"}},
		"SilenceForever":  {threshold("silences: [{comment: never}]"), []string{"spec.silences[0].until", "Required"}},
		"SilenceReversed": {threshold(`silences: [{from: "2026-12-02T00:00:00Z", until: "2026-12-01T00:00:00Z"}]`), []string{"spec.silences[0].until", "must be after from"}},
		"SilenceLabel":    {threshold(`silences: [{until: "2026-12-01T00:00:00Z", matchLabels: {a-b: c}}]`), []string{"spec.silences[0].matchLabels", "a-b", "as Prometheus has them"}},
		"MutedNowhere":    {threshold(`muteTimes: {timeZone: Asia/Atlantis, windows: [{start: "08:00", stop: "18:00"}]}`), []string{"spec.muteTimes.timeZone", "Asia/Atlantis", "such as Asia/Jakarta"}},

		// Who is told.
		"NobodyToTell":     {receiverOf("{topics: [Alerts]}"), []string{"spec", "exactly one of email and webhook"}},
		"TwoWays":          {receiverOf("{email: {}, webhook: {url: 'https://a.example/'}}"), []string{"spec", "exactly one of email and webhook"}},
		"TopicTwice":       {receiverOf("{email: {}, topics: [Alerts, Alerts]}"), []string{"spec.topics[1]", "Duplicate"}},
		"NoURL":            {webhook("format: Slack"), []string{"spec.webhook", "exactly one of url and urlSecretRef"}},
		"TwoURLs":          {webhook("url: 'https://a.example/', urlSecretRef: {name: a}"), []string{"spec.webhook", "exactly one of url and urlSecretRef"}},
		"URLOfFile":        {webhook("url: 'file:///etc/passwd'"), []string{"spec.webhook.url", "a URL with a host"}},
		"URLWithPassword":  {webhook("url: 'https://me:hush-hush@a.example/'"), []string{"spec.webhook.url", "without credentials"}},
		"UnknownFormat":    {webhook("url: 'https://a.example/', format: XML"), []string{"spec.webhook.format", `"XML"`, `"Alertmanager"`}},
		"SecretOfNowhere":  {webhook("urlSecretRef: {name: Chat}"), []string{"spec.webhook.urlSecretRef.name", `"Chat"`}},
		"SecretElsewhere":  {webhook("urlSecretRef: {name: a, namespace: kube-system}"), []string{`unknown field "spec.webhook.urlSecretRef.namespace"`}},
		"AddressInWords":   {receiverOf("{email: {to: [ada]}}"), []string{"spec.email.to[0]", "ada", "should match"}},
		"AddressOfMany":    {receiverOf("{email: {to: ['a@a.example,b@b.example']}}"), []string{"spec.email.to[0]", "a@a.example,b@b.example", "should match"}},
		"AddressInjected":  {receiverOf(`{email: {to: ["a@a.example\r\nBcc: b@b.example"]}}`), []string{"spec.email.to[0]", "should match"}},
		"UnknownLocale":    {receiverOf("{email: {locale: fr}}"), []string{"spec.email.locale", `"fr"`, `"en", "id"`}},
		"ZoneOfNowhere":    {receiverOf("{email: {timeZone: Asia/Atlantis}}"), []string{"spec.email.timeZone", "Asia/Atlantis", "such as Asia/Jakarta"}},
		"ReceiverSeverity": {receiverOf("{email: {}, minSeverity: panic}"), []string{"spec.minSeverity", `"panic"`, `"critical"`}},
		"RateOfNothing":    {receiverOf("{email: {}, rateLimit: {perHour: 0}}"), []string{"spec.rateLimit.perHour", "0", "greater than or equal to 1"}},
		"RateTooHigh":      {receiverOf("{email: {}, rateLimit: {perHour: 601}}"), []string{"spec.rateLimit.perHour", "601", "less than or equal to 600"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := k.run(tc.yaml, "create", "-f", "-")
			if code == 0 {
				t.Fatal("it was accepted")
			}
			contains(t, "the refusal", stderr, tc.says...)
			if strings.Contains(stderr, "hush-hush") {
				t.Errorf("the refusal repeats a password: %s", stderr)
			}
		})
	}
	if left := k.do("", "get", "alerts,receivers", "-o", "name"); left != "" {
		t.Errorf("bad inputs were stored: %s", left)
	}
}

// ready is what kubectl waits for, by the reason of the condition Ready.
func ready(reason string) string {
	return `--for=jsonpath={.status.conditions[?(@.type=="Ready")].reason}=` + reason
}

// TestAlertsByKubectl: Alerts and Receivers from explain to delete, as people keep them. Nothing of it needs an engine.
func TestAlertsByKubectl(t *testing.T) {
	backup := monitoringObject("Alert", "backup", "{absent: {of: Heartbeat}, for: 24h, receivers: [chat]}")
	chat := monitoringObject("Receiver", "chat", "{webhook: {urlSecretRef: {name: chat}, format: Slack}, topics: [Alerts]}")

	withKubectls(t, func(t *testing.T, k *kubectl) {
		const patience = "--timeout=30s"

		contains(t, "explain", k.do("", "explain", "al.spec.threshold.metric"), "KIND:", "Alert", "Metric of containers", "memoryLimitRatio")
		contains(t, "explain of a rule", k.do("", "explain", "alert.spec.absent.of"), "Heartbeat", "Samples")
		contains(t, "explain of a receiver", k.do("", "explain", "recv.spec.webhook.format"), "Slack", "Mattermost")

		contains(t, "a dry run", k.do(backup, "create", "-f", "-", "--dry-run=server", "-o", "yaml"), "keepFiringFor: 5m", "severity: warning", "topic: Alerts")
		if left := k.do("", "get", "alerts", "-o", "name"); left != "" {
			t.Errorf("a dry run has made %s", left)
		}

		// An Alert can be there before who is told, and a Receiver before its Secret; both say what is missing.
		k.do(backup, "apply", "-f", "-")
		k.do("", "wait", ready("Watching"), "alert/backup", patience)
		k.do("", "wait", "--for=condition=ReceiversFound=False", "alert/backup", patience)
		contains(t, "describe", k.do("", "describe", "al", "backup"), "ReceiverNotFound", "there is no Receiver chat", "Heartbeat")
		k.do(chat, "apply", "-f", "-")
		k.do("", "wait", ready("SecretNotFound"), "receiver/chat", patience)
		contains(t, "describe", k.do("", "describe", "recv", "chat"), `spec.webhook.urlSecretRef.name: Secret "chat" does not exist`)
		k.do("", "create", "secret", "generic", "chat", "--from-literal=url=https://chat.example/hooks/1")
		k.do("", "wait", "--for=condition=Ready", "receiver/chat", patience)

		contains(t, "columns of alerts", k.do("", "get", "al"), "NAME", "READY", "STATUS", "STATE", "FIRING", "SEVERITY", "AGE", "backup", "True", "Watching", "Inactive", "warning")
		contains(t, "columns of receivers", k.do("", "get", "recv", "-o", "wide"), "NAME", "READY", "STATUS", "LAST", "DELIVERING", "MESSAGE", "chat", "Accepted", "It can be told")
		contains(t, "the category", k.do("", "get", "dogker", "-o", "name"), "alert.monitoring.dogker.io/backup", "receiver.monitoring.dogker.io/chat")

		for _, object := range []string{backup, chat} {
			if out, _, code := k.run(object, "diff", "-f", "-"); code != 0 {
				t.Errorf("diff after apply: exit code %d\n%s", code, out)
			}
		}
		changed := strings.Replace(backup, "24h", "12h", 1)
		if out, _, code := k.run(changed, "diff", "-f", "-"); code != 1 || !strings.Contains(out, "12h") {
			t.Errorf("diff of a change: exit code %d\n%s", code, out)
		}
		k.do(changed, "apply", "-f", "-")
		k.do("", "wait", "--for=jsonpath={.status.observedGeneration}=2", "alert/backup", patience)

		k.do("", "annotate", "alert", "backup", "dogker.io/heartbeat=night-1")
		k.do("", "wait", "--for=jsonpath={.status.heartbeat.value}=night-1", "alert/backup", patience)

		k.do("", "patch", "alert", "backup", "--type=merge", "-p", `{"spec":{"suspend":true}}`)
		k.do("", "wait", ready("Suspended"), "alert/backup", patience)
		if out, _, code := k.run("", "patch", "alert", "backup", "--type=merge", "--subresource=status", "-p", `{"status":{"firing":-1,"state":"Odd"}}`); code == 0 {
			t.Errorf("a state that there is not was stored: %s", out)
		}

		k.do("", "delete", "alerts,receivers", "--all", patience)
		if left := k.do("", "get", "alerts,receivers", "-o", "name"); left != "" {
			t.Errorf("after delete there is %s", left)
		}
	})
}
