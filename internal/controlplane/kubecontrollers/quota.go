package kubecontrollers

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	quota "k8s.io/apiserver/pkg/quota/v1"
	"k8s.io/apiserver/pkg/quota/v1/generic"
	"k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/resourcequota"

	charges "github.com/dogker/dogker/internal/controlplane/quota"
)

// quotaWorkers is how many quotas are counted at a time. Before one is lowered it is waited for what is under way.
const quotaWorkers = 32

func (l *loops) quota(ctx context.Context) (func(context.Context), error) {
	discover := stored(l.discovery.ServerPreferredNamespacedResources)
	c, err := resourcequota.NewController(ctx, &resourcequota.ControllerOptions{
		QuotaClient:               charges.Patient(l.kube.CoreV1()),
		ResourceQuotaInformer:     l.Informers.Core().V1().ResourceQuotas(),
		ResyncPeriod:              controller.StaticResyncPeriodFunc(resync),
		ReplenishmentResyncPeriod: controller.StaticResyncPeriodFunc(resync),
		InformerFactory:           l.kinds,
		InformersStarted:          l.started,
		DiscoveryFunc:             discover,
		IgnoredResourcesFunc:      charges.Ignored,
		Registry:                  generic.NewRegistry(l.counters()),
		UpdateFilter:              charges.Changed,
	})
	if err != nil {
		return nil, fmt.Errorf("wire quota: %w", err)
	}

	return func(ctx context.Context) {
		var wg sync.WaitGroup
		wg.Go(func() { c.Sync(ctx, discover, discoveryPeriod) })
		c.Run(ctx, quotaWorkers)
		wg.Wait()
	}, nil
}

// counters are of the kinds that something other than their number is limited of, or whose number has another name than
// count/<resource>.<group>.
func (l *loops) counters() []quota.Evaluator {
	lister := generic.ListerFuncForResourceFunc(l.kinds.ForResource)
	evaluators := charges.Evaluators(charges.Source{Client: l.dynamic, Secrets: l.Informers.Core().V1().Secrets().Lister()})

	for resource, name := range charges.Counted {
		gvr := corev1.SchemeGroupVersion.WithResource(resource)
		list := generic.ListResourceUsingListerFunc(lister, gvr)
		evaluators = append(evaluators, generic.NewObjectCountEvaluator(gvr.GroupResource(), list, name))
	}

	return evaluators
}
