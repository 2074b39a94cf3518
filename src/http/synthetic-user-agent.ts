/** Values of `user_agent.synthetic.type`. */
export type SyntheticType = 'bot' | 'test';

// Monitors that call an app on purpose, and health checks of load balancers and orchestrators.
const TEST =
  /alwayson|synthetic|pingdom|uptimerobot|statuscake|site24x7|kube-probe|googlehc|elb-healthchecker|healthcheck|checkly|blackbox/i;
const BOT = /bot\b|bot[/;_-]|crawler|spider|slurp|mediapartners-google|facebookexternalhit|bingpreview/i;

/** Whether a user agent names itself a bot or a test; undefined for people and plain clients. */
export function syntheticType(userAgent: string): SyntheticType | undefined {
  if (TEST.test(userAgent)) return 'test';
  return BOT.test(userAgent) ? 'bot' : undefined;
}
