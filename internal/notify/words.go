package notify

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
)

// words are the texts of one finding. {version}, {next} and {full} in them stand for the installed version, the version
// that an update leads to, and what happens to this version when a subnet is full; {used} is how full it is, {finding} the code.
type words struct {
	wrong string    // the headline while it lasts
	right string    // the headline when it is over
	means string    // the impact, in one sentence
	do    string    // what a person should do
	run   []command // with which commands
	// update offers the next step's command too, where there is one.
	update bool
}

var findings = map[guard.Code]words{
	guard.VersionOutdated: {
		wrong: "vpc-cni {version} is older than the floor",
		right: "vpc-cni is no longer older than the floor",
		means: "{full}",
		do:    "See that the pod subnets have room, then update vpc-cni to {next}, one minor version at a time.",
		run:   []command{describeAddon}, update: true,
	},
	guard.VersionUnknown: {
		wrong: "the version of vpc-cni cannot be compared",
		right: "the version of vpc-cni is known again",
		means: "Whether this cluster has the fixes for full subnets is not known, and not known is not fine.",
		do:    "See what EKS reports, and judge a private or preview build by hand.",
		run:   []command{describeAddon},
	},
	guard.InstallUnknown: {
		wrong: "which CNI runs is unknown: the cluster's API does not answer",
		right: "which CNI runs is known: {install}",
		means: "EKS does not manage vpc-cni here, and such clusters often have an old one. cniguard cannot judge it; the cluster's subnets are watched all the same.",
		do: "See which image the aws-node DaemonSet runs. If it is vpc-cni, keep its version up to date by hand, or make it an " +
			"EKS add-on. cniguard tries again by itself.",
		run: []command{listAddons, kubeconfig, daemonSet},
	},
	guard.ImagesDiffer: {
		wrong: "aws-node and its init container are of different versions",
		right: "aws-node and its init container are of one version again",
		means: "The init container installs the plugin's binaries on the node. Beside an aws-node of another version they are a combination that nobody tests.",
		do:    "Update both images together, where aws-node is installed from.",
		run:   []command{kubeconfig, daemonSet},
	},
	guard.ReleaseBad: {
		wrong: "vpc-cni {version} is a release known to break networking",
		right: "vpc-cni is no longer at a release known to break networking",
		means: "Nodes or pods may lose their network at the next restart or under load; the problem is named above.",
		do:    "See that the pod subnets have room, then move to {next}.",
		run:   []command{describeAddon}, update: true,
	},
	guard.CapacityLow: {
		wrong: "a pod subnet is running out of IP addresses{used}",
		right: "the pod subnets have room again",
		means: "{full}",
		do: "Make room in the subnet named above: scale down or move what can go, or give pods other subnets (a further subnet, a " +
			"secondary CIDR, custom networking).",
		run: []command{explain, vpc, subnets, pending},
	},
	guard.CapacitySoon: {
		wrong: "a pod subnet is forecast to be full within days{used}",
		right: "no pod subnet is forecast to be full soon",
		means: "It has room today. {full}",
		do: "Find out what grows, and make room in the subnet named above before it is full: give pods other subnets (a further subnet, a " +
			"secondary CIDR, custom networking), or let what grows shrink.",
		run: []command{explain, vpc, subnets},
	},
	guard.BlocksLow: {
		wrong: "a pod subnet is running out of /28 blocks",
		right: "the pod subnets have /28 blocks again",
		means: "Nodes take addresses here by whole /28 blocks. When none is free, new pods hang in ContainerCreating, however many single addresses are.",
		do: "Take nodes out of the subnet named above, or give pods a subnet of their own (custom networking). Where blocks are left in one piece, a " +
			"reservation keeps single addresses out of them.",
		run: []command{explain, reservations, vpc, subnets, pending},
	},
	guard.NodesFull: {
		wrong: "the nodes can hold hardly any more addresses for pods",
		right: "the nodes have room for pods again",
		means: "Beyond what the nodes' interfaces can hold, new pods hang in ContainerCreating, also where the subnets have room.",
		do:    "Add nodes, or take larger ones.",
		run:   []command{explain, alarms, pending},
	},
	guard.CapacityUnknown: {
		wrong: "how full the pod subnets are is not known",
		right: "how full the pod subnets are is known again",
		means: "If a pod subnet of this cluster runs full, cniguard will not see it, and it does not update the add-on.",
		do:    "See which subnets the cluster's nodes and pods use, and what kept cniguard from finding them.",
		run:   []command{vpc, subnets},
	},
	guard.ControlPlaneRoom: {
		wrong: "a control-plane subnet has too few free addresses for an upgrade",
		right: "the control-plane subnets have room for an upgrade again",
		means: "EKS needs up to five free addresses for new interfaces of the control plane. Until there are, an upgrade of Kubernetes may fail; what runs is not touched.",
		do: "Before the next upgrade, free addresses in the subnets named above, or give the cluster others in the same zones " +
			"(resourcesVpcConfig, subnetIds).",
		run: []command{vpc, subnets},
	},
	guard.MetricSilent: {
		wrong: "an IP alarm gets no data",
		right: "the IP alarms get data again",
		means: "While it is blind, the alarm cannot tell that addresses run out.",
		do: "See when the alarm last had data, and look in the log of cniguard's bulk function for what its meter could not do in " +
			"this account and region.",
		run: []command{alarms, vpc, subnets},
	},
	guard.AlarmUnheard: {
		wrong: "an alarm rang, and cniguard did not hear it",
		right: "the alarm's event arrives again, or the alarm is over",
		means: "CloudWatch delivers the event of an alarm within seconds. That this one was not taken in means that the way from this account to " +
			"cniguard is broken, or that cniguard failed at the event and has it in its failure queue: other news may be lost, too.",
		do: "Have cniguard doctor ring its own alarm in this account and region, and look at the rules and the role that forward events to the hub. " +
			"Where the event is in the failure queue, have it handled with cniguard failed retry. What the alarm is about is told by itself.",
		run: []command{doctor, alarms, eventRules},
	},
	guard.AlarmFailed: {
		wrong: "an IP alarm could not be put or removed",
		right: "the IP alarms are as they should be again",
		means: "The alarm may be missing or out of date, so CloudWatch may not tell when addresses run out; without it the add-on is not updated.",
		do:    "Allow cniguard's role the action under \"need\", if one is named above; else see the error.",
		run:   []command{alarms},
	},
	guard.AddonUnhealthy: {
		wrong: "EKS says that the vpc-cni add-on is not healthy",
		right: "the vpc-cni add-on is healthy again",
		means: "On nodes where aws-node does not run, new pods get no network.",
		do:    "Read the add-on's health issues, then the aws-node pods that are not ready and their logs.",
		run:   []command{describeAddon, kubeconfig, nodePods},
	},
	guard.Unreadable: {
		wrong: "something of this cluster cannot be read",
		right: "everything of this cluster can be read again",
		means: "What cannot be read is not judged, and nothing that rests on it is changed.",
		do:    "Allow cniguard's observer role the action under \"need\", if one is named above; else see the error.",
		run:   []command{explain, observerRole},
	},
	guard.UnitUnreadable: {
		wrong: "its clusters cannot be listed",
		right: "its clusters can be listed again",
		means: "Clusters that cniguard does not know yet are not watched there, and those it knows may be unreadable too.",
		do: "See that the account has this region switched on, and that cniguard's observer role exists in the account under the name " +
			"that is configured, trusts cniguard's functions, and is allowed the action under \"need\", if one is named above.",
		run: []command{observerRole, listClusters},
	},
	guard.UpdateBlocked: {
		wrong: "an update of vpc-cni is wanted, and waits for a person",
		right: "the update of vpc-cni is no longer held back",
		means: "The cluster stays at {version}. {full}",
		do:    "Clear what holds the update, as named above. Where another tool owns the add-on, update it to {next} in that tool.",
		run:   []command{describeAddon}, update: true,
	},
	guard.UpdateStuck: {
		wrong: "a change of vpc-cni has not ended in time",
		right: "the change of vpc-cni is no longer stuck",
		means: "The nodes may run two versions of aws-node; where it is being replaced, pods neither start nor stop, and those that run keep their network.",
		do: "See which aws-node pods are not ready, and why. EKS ends most such changes by itself, and none can be cancelled. Ask AWS " +
			"Support about one that lasts for hours: the e-mail and cniguard explain have the text for the case.",
		run: []command{listUpdates, describeUpdate, kubeconfig, nodePods, explain},
	},
	guard.UpdateAside: {
		wrong: "vpc-cni is not updated any more until a person approves",
		right: "vpc-cni is no longer set aside",
		means: "The cluster stays at {version}. {full}",
		do:    "Find out why the tries failed and clear it, then approve the update again.",
		run:   []command{listUpdates, describeUpdate, describeAddon, approveUpdate},
	},
	guard.UpdatesHalted: {
		wrong: "updates of vpc-cni failed, and the whole fleet is not updated any more",
		right: "the fleet may be updated again",
		means: "No cluster of the fleet is updated until a person resumes. Those that are named under \"failed\" may have lost room for pods; all others stay as they are.",
		do: "Look at each cluster under \"failed\": its messages say what EKS reported. Find out what they have in common; where the version is at fault, " +
			"set another target in the policy. Then resume.",
		run: []command{explain, describeAddon, resumeFleet},
	},
	guard.ExemptionEnds: {
		wrong: "the policy's exemption from updates ends soon",
		right: "no exemption from updates ends soon any more",
		means: "From then on cniguard may update vpc-cni here, as far as the policy's mode lets it, and tells again what the exemption mutes.",
		do:    "If its reason still holds, renew it: give it a later day in the policy, and deploy that. Else take it out there.",
		run:   []command{explain},
	},
}

// steps are the texts of the news of an update.
var steps = map[guard.News]words{
	guard.Started: {
		wrong: "the update of vpc-cni to {next} has started",
		means: "While aws-node is replaced on a node, pods there wait to start and to stop; those that run keep their network.",
		do:    "Nothing. cniguard says when the update is complete, has failed, or takes too long.",
		run:   []command{listUpdates, describeUpdate},
	},
	guard.Updated: {
		wrong: "vpc-cni is updated to {next}",
		means: "The update is complete: EKS calls it Successful, and the add-on is ACTIVE at that version.",
		do:    "Nothing.",
	},
	guard.Lost: {
		wrong: "how the update of vpc-cni to {next} ended is not known",
		means: "EKS took the update, and what became of it cannot be learned any more: it may have replaced aws-node on some nodes, on all, or on none.",
		do: "Where the cluster and its add-on are still there, see which version EKS shows, and whether the aws-node pods are ready. cniguard counts it neither " +
			"as done nor as failed.",
		run: []command{listUpdates, describeAddon, kubeconfig, nodePods},
	},
	guard.Sampled: sampled,
	guard.NotDone: {
		wrong: "the update of vpc-cni to {next} failed",
		means: "The add-on may be at the old version, at the new one, or on the nodes at both.",
		do: "Read the error, then the add-on's health. Usual causes: aws-node pods that do not become ready, and a configuration value " +
			"that the new version does not know.",
		run: []command{describeUpdate, describeAddon, kubeconfig, nodePods},
	},
}

// sampled are the texts of the sample by which a person tries a channel.
var sampled = words{
	wrong: "a person tries this channel; nothing is wrong",
	means: "This message arrived, so the way from cniguard's function to here works. It is about no cluster.",
	do:    "Nothing. Tell who asked for it that it arrived.",
}

// particular are the texts that a message has in place of those of its finding; none where it is as any other.
func particular(m guard.Message) words {
	switch {
	case m.Finding.Code == guard.UpdateBlocked && factOf(m, "refused") != "":
		return refused.with(cures[factOf(m, "code")])
	case m.Finding.Code == guard.UpdateBlocked && factOf(m, "configuration") != "":
		return unfit
	case m.Finding.Code == guard.InstallUnknown:
		return doors[factOf(m, "code")]
	case m.News == guard.NotDone:
		w := cures[factOf(m, "code")]
		if factOf(m, "update id") == "" {
			w.means = "EKS did not take the update, so that nothing changed: the cluster stays at {version}. {full}"
		}
		return w
	case m.Finding.Code == guard.MetricSilent && strings.HasSuffix(factOf(m, "alarm"), string(alarm.NodeCapacity)):
		return helperless
	case m.Verdict.Install.Word == guard.SelfManaged:
		return byHand[m.Finding.Code]
	}
	return words{}
}

// helperless are the texts where the alarm that has no data is the one on what cni-metrics-helper publishes.
var helperless = words{
	means: "While it is blind, nobody is told that the nodes can hold no more addresses.",
	do: "See whether cni-metrics-helper runs in the cluster, and may publish to CloudWatch. If it is not wanted any more, take node-capacity out of " +
		"the policy's furtherAlarms.",
	run: []command{alarms, kubeconfig, publisher},
}

// with has the other's texts in place of its own, where there are any. What to do and its commands go together.
func (w words) with(o words) words {
	w.wrong, w.means = cmp.Or(o.wrong, w.wrong), cmp.Or(o.means, w.means)
	if o.do != "" {
		w.do, w.run, w.update = o.do, o.run, o.update
	}
	return w
}

// asIs is how values stand in a text that marks nothing.
func asIs(value string) string { return value }

// blank are the texts of a message before its values are filled in. A finding without texts of its own is shown by its code and facts.
func blank(m guard.Message) words {
	w, ok := steps[m.News]
	if !ok {
		w, ok = findings[m.Finding.Code]
	}
	if !ok {
		w = words{wrong: "{finding}", right: "{finding} is over", means: "This finding has no text of its own; what was seen is all there is to say.",
			do: "Judge by what was seen, and look at the cluster in the console.", run: []command{explain}}
	}
	w = w.with(particular(m))
	switch m.News {
	case guard.Recovered:
		w = words{right: w.unasked(m).right, do: "Nothing."}
		if m.Finding.Code == guard.InstallUnknown {
			w.do = "Nothing. What was found there is told by itself."
		}
	case guard.Closed:
		w = words{right: "the cluster is gone, and this with it: " + w.wrong, do: "Nothing."}
	}
	return w.withUpdate(m).byPerson(m)
}

// wordsFor are the texts of a message, filled in with its values as they stand in such a text.
func wordsFor(m guard.Message, as func(string) string) words {
	w := blank(m)
	or := func(value, none string) string {
		if value == "" {
			return none
		}
		return as(value)
	}
	used := or(factOf(m, "used"), "")
	if used != "" {
		used = ", " + used + " used"
	}
	fill := strings.NewReplacer("{version}", or(m.Version, "an unknown version"), "{next}", or(next(m), "a newer version"),
		"{full}", full(m.Version), "{used}", used, "{finding}", or(string(m.Finding.Code), "a finding without a name"),
		"{back}", or(factOf(m, "way back"), "the version before"), "{install}", or(m.Verdict.Install.Because, "see the verdict"))
	for _, s := range []*string{&w.wrong, &w.right, &w.means, &w.do} {
		*s = fill.Replace(*s)
	}
	return w
}

// withUpdate says of an update how it is made: by cniguard itself, by a person's word, or by hand.
func (w words) withUpdate(m guard.Message) words {
	switch {
	case !w.update || !cni.Parse(next(m)).Known():
		return w
	case len(m.Held) == 0 && m.Finding.Code != guard.UpdateBlocked:
		w.do = unneeded + ". cniguard makes this update itself, and tells how it ends."
		return w
	}
	if approvable(m) {
		w.do, w.run = w.do+" "+approveNote, slices.Concat(w.run, []command{approveUpdate})
	}
	w.do, w.run = w.do+" "+fixNote+" "+keepNote, slices.Concat(w.run, []command{fix, updateAddon})
	if len(m.Held) > 0 {
		w.do += " " + heldNote
	}
	return w
}

// next is the version that the update of this message leads to, or the next step that is wanted; empty: there is none.
func next(m guard.Message) string {
	if _, step := steps[m.News]; step {
		return factOf(m, "to")
	}
	if len(m.Path) > 0 {
		return m.Path[0]
	}
	return ""
}

// factOf is the value of the first fact of that name, or empty.
func factOf(m guard.Message, name string) string {
	if i := slices.IndexFunc(m.Finding.Facts, func(f guard.Fact) bool { return f.Name == name }); i >= 0 {
		return m.Finding.Facts[i].Value
	}
	return ""
}

// full says what a full subnet does to a version. From v1.10.2 on ipamd stays up when EC2 has no free address (amazon-vpc-cni-k8s
// #1830), so that the node is Ready and only new pods hang; before, ipamd ended with "Initialization failure", and aws-node
// crash-looped wherever it was started (#1739, #1923).
func full(version string) string {
	v := cni.Parse(version)
	switch {
	case !v.Known():
		return "When a pod subnet is full, new pods hang in ContainerCreating: on nodes that stay Ready, or, below v1.10.2, with aws-node in a crash loop " +
			"wherever it starts. Do not restart it on a subnet without room."
	case v.Satisfies(cni.Version{Major: 1, Minor: 10, Patch: 2}):
		return "When a pod subnet is full, this version fails silently: nodes stay Ready, while new pods hang in ContainerCreating."
	}
	return "When a pod subnet is full, new pods hang in ContainerCreating, and aws-node crash-loops wherever it starts or restarts, " +
		"which makes its node NotReady (fixed in v1.10.2). Do not restart it on a subnet without room."
}
