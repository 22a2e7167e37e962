package iam

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// value resolves the intrinsic functions in a value of the template. A function that is not known panics, since a template of
// ours that has one needs it here; tests are the only readers.
func (t *Template) value(v any) any {
	call, ok := v.(map[string]any)
	if !ok || len(call) != 1 {
		return v
	}
	for name, in := range call {
		switch name {
		case "Ref":
			return t.ref(in.(string))
		case "Fn::GetAtt":
			return t.attribute(in)
		case "Fn::Join":
			parts := in.([]any)
			return strings.Join(t.texts(parts[1]), parts[0].(string))
		case "Fn::Sub":
			return t.substitute(in)
		case "Fn::If":
			parts := in.([]any)
			if t.condition(t.conditions[parts[0].(string)]) {
				return t.value(parts[1])
			}
			return t.value(parts[2])
		case "Fn::Split":
			parts := in.([]any)
			var all []any
			for _, s := range strings.Split(fmt.Sprint(t.value(parts[1])), parts[0].(string)) {
				all = append(all, s)
			}
			return all
		case "Fn::Select":
			parts := in.([]any)
			return t.value(parts[1]).([]any)[int(parts[0].(float64))]
		}
		if strings.HasPrefix(name, "Fn::") {
			panic("iam: the template uses " + name + ", which is not known here")
		}
	}
	return v
}

func (t *Template) condition(c any) bool {
	call, _ := c.(map[string]any)
	for name, in := range call {
		parts := in.([]any)
		switch name {
		case "Fn::Equals":
			return reflect.DeepEqual(t.value(parts[0]), t.value(parts[1]))
		case "Fn::Not":
			return !t.condition(parts[0])
		case "Fn::And", "Fn::Or":
			for _, p := range parts {
				if t.condition(p) == (name == "Fn::Or") {
					return name == "Fn::Or"
				}
			}
			return name == "Fn::And"
		case "Condition":
			return t.condition(t.conditions[in.(string)])
		}
	}
	panic(fmt.Sprintf("iam: condition %v is not known here", c))
}

func (t *Template) ref(name string) any {
	pseudo := map[string]string{
		"AWS::Partition": t.at.Partition, "AWS::Region": t.at.Region, "AWS::AccountId": t.at.Account,
		"AWS::URLSuffix": "amazonaws.com", "AWS::StackName": "stack",
	}
	if v, ok := pseudo[name]; ok {
		return v
	}
	if name == "AWS::NoValue" {
		return nil
	}
	if v, ok := t.at.Parameters[name]; ok {
		return v
	}
	if p, ok := t.parameters[name]; ok {
		return p.Default
	}
	switch t.resources[name].Type {
	case "AWS::SNS::Topic", "AWS::IAM::ManagedPolicy":
		return t.arn(name)
	case "":
		panic("iam: Ref to " + name + ", which the template does not have")
	}
	return t.physical(name)
}

var reference = regexp.MustCompile(`\$\{[A-Za-z0-9:.]+\}`)

// substitute resolves Fn::Sub. ${!literal} stays ${literal}, as IAM's own variables do.
func (t *Template) substitute(in any) string {
	text, own := in, map[string]any{}
	if parts, ok := in.([]any); ok {
		text, own = parts[0], parts[1].(map[string]any)
	}
	out := reference.ReplaceAllStringFunc(text.(string), func(v string) string {
		name := v[2 : len(v)-1]
		if given, ok := own[name]; ok {
			return fmt.Sprint(t.value(given))
		}
		if id, attribute, ok := strings.Cut(name, "."); ok {
			return fmt.Sprint(t.attribute([]any{id, attribute}))
		}
		return fmt.Sprint(t.ref(name))
	})
	return strings.ReplaceAll(out, "${!", "${")
}

func (t *Template) attribute(in any) any {
	parts, ok := in.([]any)
	if !ok {
		id, attribute, _ := strings.Cut(in.(string), ".")
		parts = []any{id, attribute}
	}
	id, attribute := parts[0].(string), parts[1].(string)
	switch attribute {
	case "Arn", "TopicArn", "EventSourceArn":
		return t.arn(id)
	case "QueueName", "TopicName", "Name", "KeyId":
		return t.physical(id)
	}
	return id + "." + attribute
}

// physical is the name that a resource has: the one that the template gives, else its logical ID.
func (t *Template) physical(id string) string {
	r := t.resources[id]
	for _, property := range []string{"TableName", "QueueName", "TopicName", "FunctionName", "RoleName", "LogGroupName", "ManagedPolicyName", "PolicyName", "Name"} {
		if v, ok := r.Properties[property]; ok {
			return fmt.Sprint(t.value(v))
		}
	}
	return id
}

// arn is the ARN of a resource (Service Authorization Reference, "Resource types").
func (t *Template) arn(id string) string {
	r, name := t.resources[id], t.physical(id)
	in := func(service, rest string) string {
		return strings.Join([]string{"arn", t.at.Partition, service, t.at.Region, t.at.Account, rest}, ":")
	}
	global := func(service, rest string) string {
		return strings.Join([]string{"arn", t.at.Partition, service, "", t.at.Account, rest}, ":")
	}
	switch r.Type {
	case "AWS::DynamoDB::Table":
		return in("dynamodb", "table/"+name)
	case "AWS::SQS::Queue":
		return in("sqs", name)
	case "AWS::SNS::Topic":
		return in("sns", name)
	case "AWS::KMS::Key":
		return in("kms", "key/"+id)
	case "AWS::Events::EventBus":
		return in("events", "event-bus/"+name)
	case "AWS::Events::Rule":
		if bus, ok := r.Properties["EventBusName"]; ok {
			return in("events", "rule/"+fmt.Sprint(t.value(bus))+"/"+name)
		}
		return in("events", "rule/"+name)
	case "AWS::Lambda::Function":
		return in("lambda", "function:"+name)
	case "AWS::Logs::LogGroup":
		return in("logs", "log-group:"+name+":*")
	case "AWS::IAM::Role":
		return global("iam", "role/"+name)
	case "AWS::IAM::ManagedPolicy":
		return global("iam", "policy/"+name)
	case "AWS::Scheduler::ScheduleGroup":
		return in("scheduler", "schedule-group/"+name)
	case "AWS::S3::Bucket":
		return "arn:" + t.at.Partition + ":s3:::" + name
	}
	panic("iam: the ARN of " + id + ", a " + r.Type + ", is not known here")
}
