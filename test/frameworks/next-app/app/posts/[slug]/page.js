export const dynamic = 'force-dynamic';

export default async function Post({ params }) {
  return <p>post {(await params).slug}</p>;
}
