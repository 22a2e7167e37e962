package stack_test

import "slices"

func encrypted(template map[string]any) (c complaints) {
	denied := func(resource string) {
		if !slices.ContainsFunc(statements(template), func(s said) bool {
			return s.effect == "Deny" && slices.Contains(s.on, resource) && slices.Equal(s.value("Bool", "aws:SecureTransport"), []string{"false"}) &&
				slices.Equal(s.principals["AWS"], []string{"*"})
		}) {
			c.add("%s takes requests without TLS", resource)
		}
	}
	for _, q := range ofType(template, "AWS::SQS::Queue") {
		c.want(q.id+": SSE", text(q.props["SqsManagedSseEnabled"]), "true")
		c.want(q.id+": retention", text(q.props["MessageRetentionPeriod"]), "1.2096e+06")
		denied("arn:aws:sqs:eu-central-1:444455556666:" + text(q.props["QueueName"]))
	}
	for _, topic := range ofType(template, "AWS::SNS::Topic") {
		c.want(topic.id+": key", text(topic.props["KmsMasterKeyId"]), "Key.Arn")
		denied("arn:aws:sns:eu-central-1:444455556666:" + text(topic.props["TopicName"]))
	}
	if n := len(ofType(template, "AWS::SNS::Topic")); n != 3 {
		c.add("%d topics, want 3", n)
	}
	return c
}

// An alarm on an encrypted topic that may not use the key fails in silence.
func theKeyServesAlarms(template map[string]any) (c complaints) {
	for _, key := range ofType(template, "AWS::KMS::Key") {
		c.want("rotation", text(key.props["EnableKeyRotation"]), "true")
	}
	for id, wanted := range map[string][]string{"Key": {"kms:Decrypt", "kms:GenerateDataKey*"}, "TopicPolicyoncall": {"sns:Publish"}} {
		i := slices.IndexFunc(statements(template), func(s said) bool {
			return s.in == id && s.effect == "Allow" && slices.Equal(s.principals["Service"], []string{"cloudwatch.amazonaws.com"}) && slices.Equal(s.actions, wanted) &&
				slices.Equal(s.value("StringEquals", "aws:SourceAccount"), []string{"444455556666"}) &&
				slices.Equal(s.value("ArnLike", "aws:SourceArn"), []string{"arn:aws:cloudwatch:eu-central-1:444455556666:alarm:cniguard*"})
		})
		if i < 0 {
			c.add("%s does not let the hub's alarms do %v", id, wanted)
		}
	}
	return c
}

func theLedgerIsSafe(template map[string]any) (c complaints) {
	tables := ofType(template, "AWS::DynamoDB::Table")
	if len(tables) != 1 {
		c.add("%d tables", len(tables))
		return c
	}
	t := tables[0]
	c.want("on delete", text(t.whole["DeletionPolicy"]), "Retain")
	c.want("on replacement", text(t.whole["UpdateReplacePolicy"]), "Retain")
	c.want("billing", text(t.props["BillingMode"]), "PAY_PER_REQUEST")
	c.want("recovery", text(at(t.props, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")), "true")
	c.want("expiry", text(t.props["TimeToLiveSpecification"]), `{"AttributeName":"expires","Enabled":true}`)
	c.want("keys", text(t.props["KeySchema"]), `[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]`)
	c.want("index", text(t.props["GlobalSecondaryIndexes"]), `[{"IndexName":"due",`+
		`"KeySchema":[{"AttributeName":"due","KeyType":"HASH"},{"AttributeName":"at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}]`)
	return c
}

func logsEnd(template map[string]any) (c complaints) {
	groups := ofType(template, "AWS::Logs::LogGroup")
	for _, f := range ofType(template, "AWS::Lambda::Function") {
		i := slices.IndexFunc(groups, func(g resource) bool { return g.id == text(at(f.props, "LoggingConfig", "LogGroup")) })
		if i < 0 {
			c.add("%s logs to a group that the template does not have", f.id)
			continue
		}
		c.want(f.id+": log group", text(groups[i].props["LogGroupName"]), "/aws/lambda/"+text(f.props["FunctionName"]))
		if days, _ := groups[i].props["RetentionInDays"].(float64); days < 1 {
			c.add("%s keeps its log for ever", f.id)
		}
		c.want(f.id+": log format", text(at(f.props, "LoggingConfig", "LogFormat")), "JSON")
	}
	return c
}
