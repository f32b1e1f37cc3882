import type * as z from 'zod';
import type * as answers from '../lib/api/answers';
import type * as about from '../lib/api/answers-about';

// What the API answers with, in the words of its own schemas.
export type Integration = z.output<typeof answers.integration>;
export type IntegrationList = z.output<typeof answers.integrationList>;
export type Run = z.output<typeof answers.run>;
export type RunDetails = z.output<typeof answers.runDetails>;
export type StreamRun = RunDetails['streams'][number];
export type RunList = z.output<typeof answers.runList>;
export type RedriveList = z.output<typeof answers.redriveList>;
export type Status = z.output<typeof answers.status>;
export type QuarantineList = z.output<typeof answers.quarantineList>;
export type SearchResult = z.output<typeof about.searchResult>;
export type ChannelList = z.output<typeof answers.channelList>;
export type TestOutcomes = z.output<typeof answers.testOutcomes>;
export type Problem = z.output<typeof answers.problem>;
export type CheckReport = z.output<typeof about.checkReport>;
export type StreamList = z.output<typeof about.streamList>;
export type Plan = z.output<typeof about.plan>;
export type Validation = z.output<typeof about.validation>;
export type CredentialList = z.output<typeof about.credentialList>;
export type ConnectorList = z.output<typeof about.connectorList>;
