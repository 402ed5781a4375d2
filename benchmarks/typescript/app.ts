// The failover system of N services with the CDK's own L1 classes, as a TypeScript team would
// write it for speed. The templates are the same as the Python application's: `make check` compares
// them, and the benchmark before it times anything.
//
//   node build/app.js COUNT DOCUMENT
//
// DOCUMENT is a file with the content of the probe's document, which is the same for all services:
// how it is made is no question of synthesis.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  App,
  CfnDeletionPolicy,
  CfnOutput,
  DefaultStackSynthesizer,
  Fn,
  Stack,
  Validations,
} from "aws-cdk-lib";
import { CfnAlarm } from "aws-cdk-lib/aws-cloudwatch";
import { CfnManagedPolicy } from "aws-cdk-lib/aws-iam";
import { CfnKey } from "aws-cdk-lib/aws-kms";
import { CfnHealthCheck, CfnRecordSet } from "aws-cdk-lib/aws-route53";
import { CfnTopic, CfnTopicPolicy } from "aws-cdk-lib/aws-sns";
import { CfnAssociation, CfnDocument } from "aws-cdk-lib/aws-ssm";
import { Construct } from "constructs";

const ACCOUNT = "532151327118";
const REGION = "us-west-2";
const TOPIC = "PingPublicationsSNS";
const topicArn = (region: string): string => `arn:aws:sns:${region}:${ACCOUNT}:${TOPIC}`;
const TOPIC_ARN = topicArn(REGION);
// Where the metrics of health checks are.
const VIRGINIA = "us-east-1";

type Color = "blue" | "green";
const COLORS: Color[] = ["blue", "green"];
const titled = (color: Color): string => (color === "blue" ? "Blue" : "Green");

const DEPENDENCIES = [
  { name: "db", label: "Database", port: 5432 },
  { name: "cdn", label: "CDN", port: 80 },
];

const DOCUMENT = JSON.parse(readFileSync(process.argv[3], "utf8"));

interface ServiceProps {
  readonly service: string;
  readonly displayName: string;
  readonly namespace: string;
  readonly recordName: string;
  readonly instanceId: string;
  readonly addresses: Record<Color, string>;
}

/** Stacks that share one have all files in each other's asset manifests. */
const ownSynthesizer = () => new DefaultStackSynthesizer({ generateBootstrapVersionRule: false });

const hostName = (props: ServiceProps, color: Color): string => `${props.service}-api-${color}`;

class NotificationsStack extends Stack {
  constructor(app: App, region: string) {
    super(app, `notifications-${ACCOUNT}-${region}-${TOPIC}`, {
      env: { account: ACCOUNT, region },
      synthesizer: ownSynthesizer(),
      description: `The SNS topic ${TOPIC}, which alarms in ${region} notify.`,
      terminationProtection: true,
    });
    const scope = new Construct(this, "Topic");
    const key = new CfnKey(new Construct(scope, "Key"), "Resource", {
      description: "Encrypts the messages of alarm topics; CloudWatch alarms may use it.",
      enableKeyRotation: true,
      pendingWindowInDays: 30,
      keyPolicy: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "AdministeredByTheAccount",
            Effect: "Allow",
            Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
            Action: "kms:*",
            Resource: "*",
          },
          {
            Sid: "UsedByAlarmsOfThisAccount",
            Effect: "Allow",
            Principal: { Service: "cloudwatch.amazonaws.com" },
            Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
            Resource: "*",
            Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } },
          },
        ],
      },
    });
    key.cfnOptions.deletionPolicy = CfnDeletionPolicy.DELETE;
    key.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.DELETE;
    const topic = new CfnTopic(scope, "Resource", {
      topicName: TOPIC,
      kmsMasterKeyId: key.attrArn,
    });
    topic.addMetadata("Description", "Receives the state changes of alarms.");
    const policy = new CfnTopicPolicy(scope, "Policy", {
      topics: [topic.ref],
      policyDocument: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "AllowAlarmsOfThisAccount",
            Effect: "Allow",
            Principal: { Service: "cloudwatch.amazonaws.com" },
            Action: "sns:Publish",
            Resource: topic.ref,
            Condition: {
              StringEquals: { "aws:SourceAccount": ACCOUNT },
              ArnLike: { "aws:SourceArn": `arn:aws:cloudwatch:${region}:${ACCOUNT}:alarm:*` },
            },
          },
          {
            Sid: "DenyWithoutTls",
            Effect: "Deny",
            Principal: "*",
            Action: "sns:Publish",
            Resource: topic.ref,
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ],
      },
    });
    policy.addMetadata("Description", "Lets this account's alarms publish, over TLS only.");
    new CfnOutput(this, "TopicArn", {
      value: topic.ref,
      description: `ARN of the topic ${TOPIC}.`,
    });
  }
}

class ProbeStack extends Stack {
  constructor(app: App, props: ServiceProps) {
    super(app, `${props.service}-production-probe`, {
      env: { account: ACCOUNT, region: REGION },
      synthesizer: ownSynthesizer(),
      description:
        `Probe of ${props.displayName} in production: the agent on the hosts, its permission to ` +
        "publish, and alarms on its silence.",
      terminationProtection: true,
    });
    const configuration = {
      service: props.service,
      namespace: props.namespace,
      interval_seconds: 10,
      timeout_seconds: 5,
      journal: "samples",
      targets: [...DEPENDENCIES]
        .sort((one, other) => (one.name < other.name ? -1 : 1))
        .map((dependency) => ({
          metric: `${dependency.name}-connectivity`,
          check: "tcp",
          host: `${dependency.name}.${props.service}.pingpublications.com`,
          port: dependency.port,
        })),
    };
    const probe = new Construct(this, "Probe");
    const document = new CfnDocument(probe, "Document", {
      content: DOCUMENT,
      documentType: "Command",
      documentFormat: "JSON",
      updateMethod: "Replace",
    });
    document.addMetadata(
      "Description",
      "Carries the probe agent, and installs it on an instance or removes it.",
    );
    const association = new CfnAssociation(probe, "Association", {
      name: document.ref,
      associationName: `${props.service}-production-probe`,
      documentVersion: "1",
      targets: [{ key: "tag:Name", values: COLORS.map((color) => hostName(props, color)) }],
      parameters: {
        Action: ["Install"],
        Service: [props.service],
        Configuration: [Buffer.from(JSON.stringify(configuration)).toString("base64")],
      },
      scheduleExpression: "rate(1 day)",
      maxConcurrency: "1",
      maxErrors: "0",
      complianceSeverity: "HIGH",
      syncCompliance: "AUTO",
    });
    association.addMetadata(
      "Description",
      "Runs the document on the instances, one after the other, and again every day.",
    );
    association.addMetadata("Configuration", configuration);
    const policy = new CfnManagedPolicy(probe, "PublishPolicy", {
      description: `Lets the probe of ${props.service} publish its metrics and read its host's Name tag.`,
      policyDocument: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "PublishToTheNamespace",
            Effect: "Allow",
            Action: "cloudwatch:PutMetricData",
            Resource: "*",
            Condition: { StringEquals: { "cloudwatch:namespace": props.namespace } },
          },
          {
            Sid: "ReadTheNameTag",
            Effect: "Allow",
            Action: "ec2:DescribeTags",
            Resource: "*",
            Condition: { StringEquals: { "aws:RequestedRegion": REGION } },
          },
        ],
      },
    });
    association.addDependency(policy);
    Validations.of(policy).acknowledge({
      id: "AwsSolutions-IAM5[Resource::*]",
      reason: "Limited by conditions.",
    });
    for (const color of COLORS) {
      new CfnAlarm(new Construct(this, `${titled(color)}ProbeSilent`), "Resource", {
        alarmName: `${hostName(props, color)}-probe-silent`,
        alarmDescription: `The probe of ${props.displayName} (${titled(color)}) is silent: what the host reaches is not measured.`,
        actionsEnabled: true,
        alarmActions: [TOPIC_ARN],
        namespace: props.namespace,
        metricName: "probe-heartbeat",
        dimensions: [{ name: "Host", value: hostName(props, color) }],
        statistic: "Sum",
        period: 60,
        evaluationPeriods: 3,
        datapointsToAlarm: 3,
        threshold: 1,
        comparisonOperator: "LessThanThreshold",
        treatMissingData: "breaching",
      });
    }
    new CfnOutput(this, "PublishPolicyArn", {
      value: policy.ref,
      description: "Policy for the hosts' role, beside AmazonSSMManagedInstanceCore.",
    });
    new CfnOutput(this, "AssociationId", {
      value: association.attrAssociationId,
      description: "State Manager association that keeps the agent on the hosts.",
    });
  }
}

class FailoverStack extends Stack {
  readonly healthCheckOutput: CfnOutput;

  constructor(app: App, props: ServiceProps) {
    super(app, `${props.service}-production-failover`, {
      env: { account: ACCOUNT, region: REGION },
      synthesizer: ownSynthesizer(),
      description:
        `Failover of ${props.displayName} in production: alarms, health check and the ` +
        `record pair ${props.recordName}.`,
    });
    const alarmNames: string[] = [];
    for (const dependency of DEPENDENCIES) {
      for (const color of COLORS) {
        const alarmName = `${hostName(props, color)}-${dependency.name}-connectivity-failed`;
        alarmNames.push(alarmName);
        const scope = new Construct(this, `${titled(color)}Connectivity-${dependency.name}`);
        new CfnAlarm(scope, "Resource", {
          alarmName,
          alarmDescription: `${dependency.label} Connectivity failure for ${props.displayName} (${titled(color)}).`,
          actionsEnabled: true,
          alarmActions: [TOPIC_ARN],
          namespace: props.namespace,
          metricName: `${dependency.name}-connectivity`,
          dimensions: [{ name: "Host", value: hostName(props, color) }],
          statistic: "Average",
          period: 60,
          evaluationPeriods: 2,
          datapointsToAlarm: 2,
          threshold: 1,
          comparisonOperator: "LessThanThreshold",
        });
      }
    }
    const failover = new Construct(this, "Failover");
    const statusAlarmName = `${hostName(props, "blue")}-StatusCheckFailed`;
    const statusAlarm = new CfnAlarm(new Construct(failover, "BlueStatusAlarm"), "Resource", {
      alarmName: statusAlarmName,
      alarmDescription: `${props.displayName} (Blue) instance failure.`,
      actionsEnabled: true,
      alarmActions: [TOPIC_ARN],
      namespace: "AWS/EC2",
      metricName: "StatusCheckFailed",
      dimensions: [{ name: "InstanceId", value: props.instanceId }],
      statistic: "Maximum",
      period: 60,
      evaluationPeriods: 1,
      datapointsToAlarm: 1,
      threshold: 1,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      treatMissingData: "breaching",
    });
    const digest = statusRuleDigest(props.instanceId);
    const scope = new Construct(failover, "HealthCheck-status");
    const healthCheck = new CfnHealthCheck(
      scope,
      digest,
      {
        healthCheckConfig: {
          type: "CLOUDWATCH_METRIC",
          alarmIdentifier: { name: statusAlarmName, region: REGION },
          insufficientDataHealthStatus: "Unhealthy",
          inverted: false,
        },
        healthCheckTags: [{ key: "Name", value: statusAlarmName }],
      },
    );
    healthCheck.addMetadata(
      "Description",
      "Follows the metric of an alarm. The logical id changes with the alarm's rule, because " +
        "Route 53 reads the rule only once.",
    );
    healthCheck.addResourceDependency(statusAlarm);
    this.healthCheckOutput = new CfnOutput(scope, `Id${digest}`, {
      value: healthCheck.ref,
      description: `The health check, for the alarm of the stack ${props.service}-production-failover-alarm.`,
    });
    const records = new Construct(failover, "Records");
    const recordSet = (
      role: "Primary" | "Secondary",
      color: Color,
      purpose: string,
      healthCheckId?: string,
    ) =>
      new CfnRecordSet(records, `${role}A`, {
        hostedZoneId: "Z2EHK3FAEUNRMI",
        comment: `${props.service}: ${purpose}`,
        name: `${props.recordName}.`,
        type: "A",
        setIdentifier: `${props.service}-${role}`,
        failover: role.toUpperCase(),
        healthCheckId,
        ttl: "60",
        resourceRecords: [props.addresses[color]],
      });
    const primary = recordSet(
      "Primary",
      "blue",
      "the active host, served while it is healthy.",
      healthCheck.ref,
    );
    recordSet(
      "Secondary",
      "green",
      "the standby, served while the active host is unhealthy.",
    ).addDependency(primary);
    this.templateOptions.metadata = {
      Hosts: Object.fromEntries(
        COLORS.map((color) => [hostName(props, color), [props.addresses[color]]]),
      ),
    };
    new CfnOutput(this, "RecordName", {
      value: props.recordName,
      description: "DNS name that clients use.",
    });
    new CfnOutput(this, "HealthCheckId", {
      value: healthCheck.ref,
      description: "Route 53 health check that decides which host is served.",
    });
    new CfnOutput(this, "AlarmNames", {
      value: [statusAlarmName, ...alarmNames].join(","),
      description: "CloudWatch alarms of this service.",
    });
    new CfnOutput(this, "TopicArn", {
      value: TOPIC_ARN,
      description: "SNS topic that the alarms notify.",
    });
  }
}

class FailoverAlarmStack extends Stack {
  constructor(app: App, props: ServiceProps, failover: FailoverStack) {
    super(app, `${props.service}-production-failover-alarm`, {
      env: { account: ACCOUNT, region: VIRGINIA },
      synthesizer: ownSynthesizer(),
      description: `The alarm on failovers of ${props.displayName} in production.`,
    });
    const output: string = failover.resolve(failover.healthCheckOutput.logicalId);
    new CfnAlarm(new Construct(this, "FailoverAlarm"), "Resource", {
      alarmName: `${props.service}-production-clients-on-standby`,
      alarmDescription:
        `ALARM: clients of ${props.recordName} are being sent to ${hostName(props, "green")}. ` +
        `OK: they are sent to ${hostName(props, "blue")}.`,
      actionsEnabled: true,
      alarmActions: [topicArn(VIRGINIA)],
      okActions: [topicArn(VIRGINIA)],
      namespace: "AWS/Route53",
      metricName: "HealthCheckStatus",
      dimensions: [
        {
          name: "HealthCheckId",
          value: Fn.getStackOutput(failover.stackName, output, REGION),
        },
      ],
      statistic: "Minimum",
      period: 60,
      evaluationPeriods: 1,
      datapointsToAlarm: 1,
      threshold: 1,
      comparisonOperator: "LessThanThreshold",
      treatMissingData: "ignore",
    });
  }
}

/** The digest of the Python library, over the rule of a status alarm. */
function statusRuleDigest(instanceId: string): string {
  const rule =
    `["AWS/EC2", "StatusCheckFailed", [["InstanceId", "${instanceId}"]], "Maximum", ` +
    `60.0, 1.0, 1.0, "GreaterThanOrEqualToThreshold"]`;
  return createHash("sha256").update(rule).digest("hex").slice(0, 8).toUpperCase();
}

function service(index: number): ServiceProps {
  const name = `service${index}`;
  return {
    service: name,
    displayName: `Service ${index} API`,
    namespace: `Service${index}`,
    recordName: `${name}.pingpublications.com`,
    instanceId: `i-${index.toString(16).padStart(17, "0")}`,
    addresses: { blue: `54.213.${index}.1`, green: `52.11.${index}.2` },
  };
}

const app = new App({ analyticsReporting: false });
const notifications = new NotificationsStack(app, REGION);
const virginia = new NotificationsStack(app, VIRGINIA);
for (let index = 0; index < Number(process.argv[2]); index++) {
  const probe = new ProbeStack(app, service(index));
  probe.addStackDependency(notifications);
  const failover = new FailoverStack(app, service(index));
  failover.addStackDependency(notifications);
  failover.addStackDependency(probe);
  const alarm = new FailoverAlarmStack(app, service(index), failover);
  alarm.addStackDependency(failover);
  alarm.addStackDependency(virginia);
}
app.synth();
