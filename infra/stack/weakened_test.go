package stack_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// weakening is something that a template may lose without anything breaking on the day.
type weakening struct {
	name string
	law  string // that must notice
	do   func(weak)
}

const entriesLaw = "access entries let the observer read kube-system, and no more"

func weakenings() []weakening {
	return []weakening{
		{"a rule loses its dead-letter queue", "nothing that is sent gets lost in silence", func(w weak) { delete(w.in("OnBuschecks", "Targets", "0"), "DeadLetterConfig") }},
		{"a schedule loses its dead-letter queue", "nothing that is sent gets lost in silence", func(w weak) { delete(w.in("Scheduletick", "Target"), "DeadLetterConfig") }},
		{"a function loses its destination", "nothing that is sent gets lost in silence", func(w weak) { w.drop("AWS::Lambda::EventInvokeConfig") }},
		{"Lambda keeps events for its six hours", "nothing that is sent gets lost in silence", func(w weak) {
			w.first("AWS::Lambda::EventInvokeConfig")["MaximumEventAgeInSeconds"] = 21600.0
		}},
		{"the queue takes from the default bus only", "the failure queue takes what rules cannot deliver", func(w weak) {
			w.condition("FailedPolicy", "FromRules")["ArnLike"] = map[string]any{"aws:SourceArn": "arn:aws:events:eu-central-1:444455556666:rule/cniguard-*"}
		}},
		{"the queue takes from any account's rules", "no service acts for a stranger", func(w weak) { delete(w.statement("FailedPolicy", "FromRules"), "Condition") }},
		{"the queue is gone from TLS", "queue and topics are encrypted and want TLS", func(w weak) { w.remove("FailedPolicy", "OnlyTLS") }},
		{"a topic loses the key", "queue and topics are encrypted and want TLS", func(w weak) { delete(w.in("Topicchat"), "KmsMasterKeyId") }},
		{"the key shuts CloudWatch out", "CloudWatch can speak under the key", func(w weak) { w.remove("Key", "Alarms") }},
		{"the topic shuts CloudWatch out", "CloudWatch can speak under the key", func(w weak) { w.remove("TopicPolicyoncall", "FromAlarms") }},
		{"the key serves alarms of any account", "no service acts for a stranger", func(w weak) { delete(w.condition("Key", "Alarms"), "ArnLike") }},
		{"the table goes with the stack", "the ledger outlives the stack", func(w weak) { w.resource("Ledger")["DeletionPolicy"] = "Delete" }},
		{"the table cannot be restored", "the ledger outlives the stack", func(w weak) { delete(w.in("Ledger"), "PointInTimeRecoverySpecification") }},
		{"logs stay for ever", "logs end some day", func(w weak) { delete(w.first("AWS::Logs::LogGroup"), "RetentionInDays") }},
		{"tick and sweep are taken from the default bus", "each event reaches one function once", func(w weak) { w.in("OnBusbulkwork")["EventBusName"] = "default" }},
		{"failed calls wake the program", "each event reaches one function once", func(w weak) {
			delete(w.in("OnDefaultekscalls", "EventPattern", "detail"), "errorCode")
		}},
		{"any rule of any account may invoke a function", "no service acts for a stranger", func(w weak) { delete(w.first("AWS::Lambda::Permission"), "SourceArn") }},
		{"members may call PutEvents by hand", "only members' rules may put events on the bus", func(w weak) {
			delete(w.condition("Bus", "FromMembers")["ArnLike"].(map[string]any), "aws:SourceArn")
		}},
		{"the organisation does not count", "no allowance is wider than its reason", func(w weak) { delete(w.condition("Bus", "FromMembers"), "StringEquals") }},
		{"others may speak as cniguard", "only members' rules may put events on the bus", func(w weak) { w.remove("Bus", "NotAsCniguard") }},
		{"anybody may forge news", "only members' rules may put events on the bus", func(w weak) { w.remove("Bus", "NewsByFunctions") }},
		{"a scheduler may forge news", "only members' rules may put events on the bus", func(w weak) {
			w.condition("Bus", "NewsByFunctions")["ArnNotEquals"] = map[string]any{"aws:PrincipalArn": "arn:aws:iam::444455556666:role/cniguard-*"}
		}},
		{"a function may pose as another source", "functions may do what is listed, and no more", func(w weak) { delete(w.statement("bulkRole", "Wake"), "Condition") }},
		{"an approver may send what is no wake-up", "people write in their own name, and programs never do", func(w weak) {
			delete(w.condition("Approver", "Wake")["ForAllValues:StringEquals"].(map[string]any), "events:source")
		}},
		{"a schedule says no instant", "schedules send what the program reads", func(w weak) { w.in("Schedulesweep", "Target")["Input"] = "{}" }},
		{"a schedule sends what nobody reads", "schedules send what the program reads", func(w weak) {
			w.in("Schedulemeter", "Target", "EventBridgeParameters")["DetailType"] = "meter"
		}},
		{"a function may use every table", "no allowance is wider than its reason", func(w weak) { w.statement("urgentRole", "Ledger")["Resource"] = "*" }},
		{"a function may do anything with the table", "no allowance is wider than its reason", func(w weak) { w.statement("bulkRole", "Ledger")["Action"] = "dynamodb:*" }},
		{"a function may delete records", "functions may do what is listed, and no more", func(w weak) {
			s := w.statement("bulkRole", "Ledger")
			s["Action"] = append(s["Action"].([]any), "dynamodb:DeleteItem")
		}},
		{"bulk may assume the updater", "functions may do what is listed, and no more", func(w weak) {
			s := w.statement("bulkFleet0", "Fleet")
			s["Resource"] = append(s["Resource"].([]any), "arn:aws:iam::111122223333:role/cniguard-updater")
		}},
		{"a function's code may make interfaces", "functions leave their network to Lambda", func(w weak) { w.remove("urgentRole", "NotByCode") }},
		{"what is denied is another function's", "functions leave their network to Lambda", func(w weak) {
			w.condition("bulkRole", "NotByCode")["ArnEquals"] = w.condition("urgentRole", "NotByCode")["ArnEquals"]
		}},
		{"one action is not denied", "functions leave their network to Lambda", func(w weak) {
			s := w.statement("bulkRole", "NotByCode")
			s["Action"] = s["Action"].([]any)[1:]
		}},
		{"a function is in no VPC, and its role could attach it", "functions leave their network to Lambda", func(w weak) { delete(w.first("AWS::Lambda::Function"), "VpcConfig") }},
		{"a function is in a VPC, and its role cannot attach it", "functions leave their network to Lambda", func(w weak) { w.remove("urgentRole", "Attach") }},
		{"the observer sees Secrets", entriesLaw, func(w weak) {
			w.accessPolicy()["PolicyArn"] = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminViewPolicy"
		}},
		{"the observer is the cluster's administrator", entriesLaw, func(w weak) {
			w.accessPolicy()["PolicyArn"] = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
		}},
		{"the observer sees all namespaces", entriesLaw, func(w weak) { w.accessPolicy()["AccessScope"] = map[string]any{"Type": "cluster"} }},
		{"the observer sees another namespace", entriesLaw, func(w weak) {
			w.accessPolicy()["AccessScope"].(map[string]any)["Namespaces"] = []any{"kube-system", "default"}
		}},
		{"the observer has a second access policy", entriesLaw, func(w weak) {
			entry := w.first("AWS::EKS::AccessEntry")
			entry["AccessPolicies"] = append(entry["AccessPolicies"].([]any), map[string]any{
				"PolicyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminViewPolicy", "AccessScope": map[string]any{"Type": "cluster"}})
		}},
		{"the observer is in a group", entriesLaw, func(w weak) { w.first("AWS::EKS::AccessEntry")["KubernetesGroups"] = []any{"masters"} }},
		{"the observer has another's name", entriesLaw, func(w weak) { w.first("AWS::EKS::AccessEntry")["Username"] = "admin" }},
		{"another role is let in", entriesLaw, func(w weak) {
			w.first("AWS::EKS::AccessEntry")["PrincipalArn"] = map[string]any{"Fn::GetAtt": []any{"Updater", "Arn"}}
		}},
		{"a node is let in", entriesLaw, func(w weak) { w.first("AWS::EKS::AccessEntry")["Type"] = "EC2_LINUX" }},
		{"an approver writes under any name", "people write in their own name, and programs never do", func(w weak) { delete(w.statement("Approver", "Write"), "Condition") }},
		{"an approver writes without a key", "every value that is asked for is there", func(w weak) { delete(w.condition("Approver", "Write"), "Null") }},
		{"a function writes as a person", "people write in their own name, and programs never do", func(w weak) {
			w.statement("urgentRole", "NotAsPerson")["Effect"] = "Allow"
		}},
		{"an alarm tells nobody", "every alarm reaches people", func(w weak) { delete(w.in("Alarmfailed"), "AlarmActions") }},
		{"silence is fine", "every alarm reaches people", func(w weak) { w.in("Alarmtick")["TreatMissingData"] = "notBreaching" }},
		{"a deployment pages", "every alarm reaches people", func(w weak) { delete(w.in("Alarmtick"), "WarmUpConfiguration") }},
		{"a deployment pages before its first sweeps", "every alarm reaches people", func(w weak) {
			w.in("Alarmsweep")["WarmUpConfiguration"] = w.in("Alarmtick")["WarmUpConfiguration"]
		}},
	}
}

func TestWeakeningsAreNoticed(t *testing.T) {
	whole := hub(t, full(t))
	holds, noticed := map[string]func(map[string]any) complaints{}, map[string]bool{}
	for _, l := range laws() {
		holds[l.name] = l.holds
	}
	for _, w := range weakenings() {
		t.Run(w.name, func(t *testing.T) {
			template := plain(t, whole)
			w.do(template["Resources"].(map[string]any))
			if wrong := holds[w.law](template); len(wrong) == 0 {
				t.Errorf("the law that %s did not notice", w.law)
			}
		})
		noticed[w.law] = true
	}
	for name := range holds {
		if !noticed[name] {
			t.Errorf("no weakening shows that the law notices anything: %s", name)
		}
	}
}

// weak are the resources of a template that is being weakened. What is looked for and not there is a panic: the weakening would
// show nothing.
type weak map[string]any

// resource is one by its id, or the first whose id begins so: the CDK adds a hash to the ids of what is nested.
func (w weak) resource(id string) map[string]any {
	if r, ok := w[id].(map[string]any); ok {
		return r
	}
	all := slices.Sorted(maps.Keys(w))
	i := slices.IndexFunc(all, func(other string) bool { return strings.HasPrefix(other, id) })
	return w[all[i]].(map[string]any)
}

// in are the properties of a resource, or what stands under a path in them; "0" is the first of a list.
func (w weak) in(id string, path ...string) map[string]any {
	v := w.resource(id)["Properties"]
	for _, name := range path {
		if name == "0" {
			v = v.([]any)[0]
		} else {
			v = v.(map[string]any)[name]
		}
	}
	return v.(map[string]any)
}

// ids are the resources of a type, in order.
func (w weak) ids(kind string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(w)), func(id string) bool { return w.resource(id)["Type"] != kind })
}

func (w weak) first(kind string) map[string]any { return w.in(w.ids(kind)[0]) }

// accessPolicy is that of the first access entry.
func (w weak) accessPolicy() map[string]any {
	return w.in(w.ids("AWS::EKS::AccessEntry")[0], "AccessPolicies", "0")
}

func (w weak) drop(kind string) { delete(w, w.ids(kind)[0]) }

// statement is one of a resource's policies.
func (w weak) statement(id, sid string) map[string]any {
	var found map[string]any
	visit(w.resource(id), func(list []any) []any {
		for _, s := range list {
			if s := s.(map[string]any); s["Sid"] == sid {
				found = s
			}
		}
		return list
	})
	if found == nil {
		panic(id + " has no statement " + sid)
	}
	return found
}

func (w weak) condition(id, sid string) map[string]any {
	return w.statement(id, sid)["Condition"].(map[string]any)
}

// remove takes a statement away.
func (w weak) remove(id, sid string) {
	w.statement(id, sid)
	visit(w.resource(id), func(list []any) []any {
		return slices.DeleteFunc(list, func(s any) bool { return s.(map[string]any)["Sid"] == sid })
	})
}

// visit changes every list of statements in a value.
func visit(v any, change func([]any) []any) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			visit(one, change)
		}
	case map[string]any:
		for name, one := range v {
			if list, ok := one.([]any); ok && name == "Statement" {
				v[name] = change(list)
				continue
			}
			visit(one, change)
		}
	}
}
